import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { dialectLinks, type ServerAddress } from '../../client/dialect-links.ts';
import { isNear } from '../../client/near-host.ts';
import { readToken } from '../../client/token.ts';
import { checkAnyUrl } from '../../client/url.ts';
import { unreadable } from '../../config/read-chunks.ts';
import { flattenIssues } from '../../config/yaml.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import { SpeechfbError } from '../../errors.ts';
import type { ProbeOptions } from '../../load/probe/play.ts';
import { auth, readCredentials } from '../../load/scenario/auth-schema.ts';
import { hideSecrets } from '../../redact.ts';
import type { SecretUrl } from '../../secret-url.ts';
import type { ProbeFlags } from './flags.ts';

/** Where a probe goes, and what is shown of it. */
export type ProbedServer = {
  /** Without what is secret. */
  shown: string;
  hostname: string;
  /** Path and parameters, without what is secret; '' where the URL has none. */
  path: string;
  links: ProbeOptions['links'];
  /** A text of the server, which may quote a key. */
  hide(text: string): string;
};

/**
 * The server of a URL, with what lets one in. Throws for a host that may be another's before
 * anything is sent: `no_consent`; for secrets that are not there, as those who read them do.
 */
export function probedServer(given: string, flags: ProbeFlags, { name, carrier }: Dialect): ProbedServer {
  const url = checkAnyUrl(given);
  if (url.isGrpc !== (carrier === 'grpc')) throw wrongUrl(url, name);
  checkHost(url.hostname, flags.yesLoad);
  if (url.isGrpc && flags.auth)
    throw new SpeechfbError('bad_flag', '--auth: a call of gRPC has no query; use --header');
  const credentials = readCredentials(placesOf(flags), 'probe');
  const token = flags.tokenFile === undefined ? undefined : readToken(flags.tokenFile);
  if ((flags.ca !== undefined || flags.insecure) && !url.isSecure)
    throw new SpeechfbError(
      'bad_flag',
      `${flags.ca === undefined ? '--insecure' : '--ca'} is for ${url.isGrpc ? 'grpcs' : 'wss'}:// URLs`,
    );
  const tls = { ...(flags.ca && { ca: readPem(flags.ca) }), ...(flags.insecure && { insecure: true as const }) };
  const address: ServerAddress = { url: url.href, token, tls, credentials };
  const shown = `${url}`;
  return {
    shown,
    hostname: url.hostname,
    path: /^wss?:\/\/[^/?]*(\/[^#]*)$/.exec(shown)?.[1] ?? '',
    links: (request, wheel) =>
      dialectLinks(address, request, { clock: () => performance.now(), afterMessage: wheel.catchUp }),
    hide: (text) => hideSecrets(url.hide(text), [token ?? '', ...credentials.secrets]),
  };
}

function wrongUrl(url: SecretUrl, name: string): SpeechfbError {
  const carried = url.isGrpc
    ? 'a WebSocket: write ws:// or wss://'
    : 'gRPC: write grpc://host:port or grpcs://host:port';
  const hint = 'a server of gRPC needs --protocol: riva, or a mapping that names its .proto';
  return new SpeechfbError('bad_url', `${url}: ${name} is spoken over ${carried}`, url.isGrpc ? { hint } : {});
}

function checkHost(host: string, yes: string | undefined): void {
  if (yes !== undefined && yes.toLowerCase() !== host.toLowerCase())
    throw new SpeechfbError('no_consent', `--yes-load is for "${yes}", but the server is "${host}"`);
  if (yes !== undefined || isNear(host)) return;
  throw new SpeechfbError('no_consent', `${host} may belong to others, and may bill what is sent to it`, {
    hint: `if you may send to it, say so with --yes-load ${host}`,
  });
}

function placesOf({ header = [], auth: parameters = [] }: ProbeFlags): Parameters<typeof readCredentials>[0] {
  const places = [
    ...header.map((given) => ({ flag: '--header', ...split('--header', given, /^([^:]+):\s*(.*)$/, 'header') })),
    ...parameters.map((given) => ({ flag: '--auth', ...split('--auth', given, /^([^=]+)=(.*)$/, 'query') })),
  ];
  if (places.length === 0) return [];
  return places.flatMap(({ flag, ...place }) => {
    const read = auth.safeParse(place);
    if (read.success) return read.data;
    // What was given may be the secret itself: it is not shown.
    const said = flattenIssues(read.error.issues).map(({ path, message }) => [...path, message].join(' '));
    throw new SpeechfbError('bad_flag', `${flag}: ${said.join('; ')}`);
  });
}

function split(flag: string, given: string, pattern: RegExp, key: 'header' | 'query'): Record<string, string> {
  const [, name = '', value = ''] = pattern.exec(given) ?? [];
  if (name !== '') return { [key]: name.trim(), value };
  const example = key === 'header' ? '"Authorization: Token ${env:KEY}"' : '"key=${env:KEY}"';
  throw new SpeechfbError('bad_flag', `${flag}: has no name before its value; write it as ${example}`);
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, 'certificate authority', cause);
  }
}
