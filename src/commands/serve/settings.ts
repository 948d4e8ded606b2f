import { readText } from '../../config/read-chunks.ts';
import { SpeechfbError } from '../../errors.ts';
import { redactUrl } from '../../redact.ts';
import { hostName, isLoopback } from '../../server/admission/exposure.ts';
import type { TlsPair } from '../../server/admission/pem.ts';
import { checkTlsPair } from '../../server/admission/tls-pair.ts';
import { parseTokens, readTokenText, type Tokens } from '../../server/admission/tokens.ts';
import { faultsPath } from '../../server/gateway/http/faults.ts';
import type { Limits } from '../../server/limits.ts';
import { checkStore } from '../../stores/redis/open-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { LogLevel } from '../../telemetry/log-levels.ts';
import { checkHandoff, type HandoffFlags } from '../handoff/open-handoff.ts';
import { packageVersion } from '../package.ts';
import type { CurveFlags } from './curve.ts';
import type { AdminFlags } from './flags/admin-flags.ts';
import { type LimitFlags, limitsOfFlags } from './flags/limit-flag.ts';
import { type TracingFlags, type TracingSettings, tracingSettingsOf } from './flags/tracing-flags.ts';
import { type RoleFlags, readPem } from './roles.ts';
import { type RoutingFlags, type RoutingSettings, routingSettingsOf } from './routing/flags.ts';

export type ServeFlags = {
  host: string;
  port: number;
  quic?: number;
  model?: string;
  tokenFile?: string;
  tenants?: string;
  tlsCert?: string;
  tlsKey?: string;
  allowOrigin?: string[];
  allowHost?: string[];
  trustProxy?: number;
  gateways?: number;
  store: string;
  publicUrl?: string;
  faultInjection?: true;
  logLevel: LogLevel;
  parentFd?: number;
} & LimitFlags &
  RoleFlags &
  HandoffFlags &
  RoutingFlags &
  CurveFlags &
  TracingFlags &
  AdminFlags;

/**
 * What the flags say, as plain data that another process can be sent; all files have been read, so
 * that a gateway which starts later is no different.
 */
export type ServeSettings = {
  host: string;
  port: number;
  /** The UDP port where QUIC is spoken too. */
  quicPort: number | undefined;
  /** The folder of the model's package; undefined: the shipped one. */
  model: string | undefined;
  /** Which part of a service this is, and the device of its model. */
  role: RoleFlags;
  /** What was measured of the device. */
  curve: string | undefined;
  tokens: { path: string; text: string } | undefined;
  tenants: { path: string; text: string } | undefined;
  /** What decides which backend writes each transcript. */
  routing: RoutingSettings | undefined;
  /** The URL of the store as it was given, secrets of the environment not filled in. */
  store: string | undefined;
  publicUrl: string | undefined;
  /** What hands over what cannot be finished live; secrets of the environment are not filled in. */
  handoff: HandoffFlags;
  /** Undefined: nobody wants traces. */
  tracing: TracingSettings | undefined;
  tls: TlsFiles | undefined;
  origins: string[];
  hosts: string[];
  trustedProxies: number;
  faultInjection: boolean;
  limits: Partial<Limits>;
  logLevel: LogLevel;
};

/** A certificate and its key as they were read, and where. */
type TlsFiles = TlsPair & { paths: { certificate: string; key: string } };

/**
 * @throws SpeechfbError `bad_flag`, `bad_tls`, `bad_token_file`, `unreadable_file`, `bad_url`,
 *   `unset_variable`
 */
export function settingsOf(flags: ServeFlags): ServeSettings {
  const { tokenFile, tenants, kafka, kafkaTls, kafkaUser, keepAudio } = flags;
  const store = checkStore(flags.store);
  const handoff = {
    ...(flags.handoff !== undefined && { handoff: flags.handoff }),
    ...(kafka !== undefined && { kafka }),
    ...(kafkaTls && { kafkaTls }),
    ...(kafkaUser !== undefined && { kafkaUser }),
    ...(keepAudio !== undefined && { keepAudio }),
  };
  checkHandoff({ handoff, store });
  return {
    host: flags.host,
    port: flags.port,
    quicPort: flags.quic,
    model: flags.model,
    role: flags,
    curve: flags.curve,
    tokens: tokenFile === undefined ? undefined : { path: tokenFile, text: readTokenText(tokenFile) },
    tenants:
      tenants === undefined ? undefined : { path: tenants, text: readText(tenants, "tenants' file", tenantsHint) },
    tls: readTls(flags.tlsCert, flags.tlsKey),
    routing: routingSettingsOf(flags),
    store,
    handoff,
    publicUrl: flags.publicUrl === undefined ? undefined : checkPublicUrl(flags.publicUrl),
    tracing: tracingSettingsOf(flags),
    origins: flags.allowOrigin ?? [],
    hosts: (flags.allowHost ?? []).map(parseHost),
    trustedProxies: flags.trustProxy ?? 0,
    faultInjection: flags.faultInjection === true,
    limits: limitsOfFlags(flags),
    logLevel: flags.logLevel,
  };
}

/** @throws SpeechfbError `bad_token_file` */
export function tokensOf({ tokens }: ServeSettings): Tokens | undefined {
  return tokens && parseTokens(tokens.text, tokens.path);
}

/** What a server takes of the settings as it is. */
export function serverOptionsOf(settings: ServeSettings) {
  const { host, port, quicPort, limits, tls, origins, hosts, trustedProxies, faultInjection, publicUrl } = settings;
  const { region } = settings.role;
  const common = { host, port, region, limits, tls, origins, hosts, trustedProxies, faultInjection, publicUrl };
  return { ...common, quicPort, tokens: tokensOf(settings), version: packageVersion() };
}

/** Says what is dangerous about the settings. */
export function warn({ faultInjection, host, tls }: ServeSettings, log: Log): void {
  if (faultInjection) log.warn({ faults: faultsPath }, 'programs on this machine may stall or kill the model');
  if (!isLoopback(host) && tls === undefined) {
    log.warn({ host }, 'voices and tokens travel unencrypted unless TLS ends in front of this server');
  }
}

const tenantsHint = 'docs/production.md has one; speechfb token new makes a token and its line';

/** @throws SpeechfbError `bad_flag` */
export function parseHost(given: string): string {
  const name = hostName(given);
  if (name !== undefined) return name;
  throw new SpeechfbError('bad_flag', `--allow-host "${given}" is not the name of a host, as class.example`);
}

/**
 * @param flags how the two flags begin: `tls`, `admin-tls`
 * @throws SpeechfbError `bad_tls`
 */
export function readTls(cert: string | undefined, key: string | undefined, flags = 'tls'): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new SpeechfbError('bad_tls', `--${flags}-${given} needs --${flags}-${missing} beside it`);
  }
  const names = { certificate: `--${flags}-cert ${cert}`, key: `--${flags}-key ${key}` };
  const pair = { certificate: readPem(names.certificate, cert), key: readPem(names.key, key), names };
  checkTlsPair(pair);
  return { ...pair, paths: { certificate: cert, key } };
}

/** @throws SpeechfbError `bad_url` */
function checkPublicUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isStream = url?.protocol === 'ws:' || url?.protocol === 'wss:';
  if (url && isStream && url.username === '' && url.password === '' && url.hash === '') return url.href;
  const what = `--public-url "${redactUrl(given)}" is not where a learner finds this gateway`;
  throw new SpeechfbError('bad_url', `${what}; allowed: ws://host:port/v1/stream, wss://host:port/v1/stream`);
}
