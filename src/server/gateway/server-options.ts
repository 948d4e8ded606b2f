import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { Handoff } from '../../handoff/handoff.ts';
import type { CapStore } from '../../stores/cap-store.ts';
import type { ResultStore } from '../../stores/result-store.ts';
import type { SessionStore } from '../../stores/session-store.ts';
import type { HandoffFigures } from '../../telemetry/handoff-metrics.ts';
import type { Log } from '../../telemetry/log.ts';
import type { LivePolicyFigures } from '../../telemetry/policy-metrics.ts';
import type { SlotSource } from '../../telemetry/slot-metrics.ts';
import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import { checkExposure, checkFaults, isLoopback } from '../admission/exposure.ts';
import type { TlsPair } from '../admission/pem.ts';
import type { Tokens } from '../admission/tokens.ts';
import type { LocalModel, Scoring } from '../hearing/local-model.ts';
import type { PolicyInForce } from '../hearing/managed-backend.ts';
import type { Meter } from '../hearing/meter.ts';
import type { Router } from '../hearing/router.ts';
import type { Witness } from '../hearing/witness.ts';
import type { Limits } from '../limits.ts';
import type { NodeDirectory } from '../node-directory.ts';
import type { TenantRegistry } from '../tenants/tenant-registry.ts';
import type { DrainReport } from './drain.ts';
import type { CallerPolicy } from './http/upgrade.ts';
import type { Supervision } from './outside/supervision.ts';
import type { GatewayView, SessionView } from './outside/view.ts';

export type ServerOptions = {
  /**
   * Several servers may share one; a promise is a model that still warms up: the server listens and
   * is not ready.
   */
  engine: AcousticEngine | Promise<AcousticEngine>;
  scoring: Scoring;
  log: Log;
  version: string;
  host?: string;
  /** 0: any free one. */
  port?: number;
  /** UDP, where QUIC is spoken too, which needs `tls`; 0: the number that `port` has. */
  quicPort?: number | undefined;
  limits?: Partial<Limits>;
  /**
   * All limits; whoever starts the server may change those of `liveLimits` in it while it runs.
   * Instead of `limits`.
   */
  limitsInForce?: Limits | undefined;
  tokens?: Tokens | undefined;
  /** Tenants, whose callers show API tokens and JWTs. */
  tenants?: TenantRegistry | undefined;
  /** PEM texts. */
  tls?: TlsPair | undefined;
  /**
   * Whether `POST /faults/inference` may stall or kill the model's thread; else it is answered 403.
   */
  faultInjection?: boolean;
  /** Pages of other hosts that may connect, as `https://host:port`. */
  origins?: readonly string[];
  /** Names by which this server may be called beside those of this machine. */
  hosts?: readonly string[];
  /** Where sessions are scored elsewhere; absent: this server bounds them alone. */
  slots?: SlotSource | undefined;
  /** Where sessions are kept so that they can go on at other gateways; its owner closes it. */
  store?: SessionStore | undefined;
  /** Follows sessions; its owner closes it. Absent: nobody wants traces. */
  tracing?: Tracing | undefined;
  /** Where the caps of tenants are counted for several servers; absent: this one counts alone. */
  caps?: CapStore | undefined;
  /**
   * Lets be scored later what cannot be finished live, and has the results; its owner closes both.
   */
  late?: LateParts | undefined;
  /** Where this server is: sessions that name another region are refused. */
  region?: string | undefined;
  /** Where learners find this very gateway; absent: where they find all. */
  publicUrl?: string | undefined;
  /** The same nodes one by one, for those who run the server. */
  nodes?: NodeDirectory | undefined;
  /**
   * Which backend writes each transcript, and what counts who has used what; absent: the own model
   * writes them all. The backends are left to their owner.
   */
  routing?: ServedPolicy | undefined;
  /** Where this is one of several gateways, and takes its connections from a supervisor. */
  supervision?: Supervision | undefined;
  /** Cores that this server may count on; default: all that this process may use. */
  cores?: number;
  /** Proxies of the operator's own that all callers come through; each names the one before. */
  trustedProxies?: number;
};

/** `scoring`: what waits to be scored in this process; absent: others score it. */
export type LateParts = {
  handoff: Handoff;
  results: ResultStore;
  keepMs: number;
  scoring?: (() => HandoffFigures['scoring']) | undefined;
  /** Results that this process keeps. */
  kept?: (() => HandoffFigures['results']) | undefined;
};

export type RunningServer = {
  readonly port: number;
  /** `ws://` or `wss://`, of the stream. */
  readonly url: string;
  /**
   * Shows this certificate from here on; connections that are there keep what they have.
   *
   * @throws SpeechfbError `bad_tls`, and the one before stays.
   */
  renewTls(tls: TlsPair): void;
  /**
   * The sound that was heard today, UTC, of a tenant or of one of its users, by its digest, ms: at
   * all servers that share its store.
   */
  heardTodayMs(tenant: string, user?: string): Promise<number>;
  /** Decides which backend writes each transcript; undefined: nothing does. */
  readonly router: Router | undefined;
  /** Resolves when the model is warm; rejects when it could not be loaded. */
  readonly ready: Promise<void>;
  stats(): ServerStats;
  view(): GatewayView;
  sessions(): readonly SessionView[];
  /** Lets nobody new in, or does again; who is inside stays, and may come back. */
  cordon(isCordoned: boolean): void;
  /**
   * Takes no more sessions, tells every one to go, sends their finals within `limits.drainMs`,
   * closes.
   */
  drain(): Promise<DrainReport>;
  /** Cuts everything at once. The engine is left to its owner. */
  close(): Promise<void>;
};

export type ServerStats = { sockets: number; sessions: number; streaming: number; detached: number; ending: number };

/** What of the options says who may call. */
export type ExposureOptions = Pick<
  ServerOptions,
  'faultInjection' | 'hosts' | 'origins' | 'tenants' | 'tls' | 'tokens' | 'trustedProxies'
>;

/**
 * What a server that listens on `host` asks of its callers.
 * @throws SpeechfbError `unsafe_host`, `unsafe_faults`
 */
export function policyOf(options: ExposureOptions, host: string): CallerPolicy {
  const { faultInjection, hosts = [], origins = [], tenants, tls, tokens, trustedProxies = 0 } = options;
  const isKnown = tokens !== undefined || tenants !== undefined;
  checkExposure(host, { tokens: isKnown, tls: tls !== undefined });
  checkFaults({
    faults: faultInjection === true,
    proxied: trustedProxies > 0 || hosts.length > 0,
    tokens: isKnown,
  });
  const loopback = isLoopback(host);
  return {
    tokens,
    tenants,
    origins: { allowed: origins, loopback },
    hosts: { allowed: hosts, loopback },
    trustedProxies,
  };
}

/** What decides which backend writes each transcript, and who takes note of it. */
type ServedPolicy = {
  policy: PolicyInForce;
  meter?: Meter | undefined;
  witness?: Witness | undefined;
  /** What metrics show of how the policy changes; absent: it never does. */
  figures?: (() => LivePolicyFigures) | undefined;
  /** The models that run beside the server's own, whose owner closes them; absent: none. */
  models?: (() => readonly LocalModel[]) | undefined;
};
