import { z } from 'zod';
import { transports } from '../../client/link/quic-way.ts';
import { checkAnyUrl, withStreamPath } from '../../client/url.ts';
import {
  despiteProblems,
  duration,
  integer,
  isMapping,
  section,
  shown,
  text,
  throughUnit,
} from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { isProtocolFile, protocolNameProblem } from '../../dialects/catalogue.ts';
import { type LimitName, type LimitRange, limitNames, limitProblem, limitRanges } from '../../protocol/limit-ranges.ts';
import { SecretUrl } from '../../secret-url.ts';
import { didYouMean } from '../../suggest.ts';
import { auth } from './auth-schema.ts';
import { yesOrNo } from './fields.ts';
import { tenants } from './tenants-schema.ts';

const embedded = section({
  maxSessions: integer(1, 1_000_000).optional(),
  resumeTtl: duration(0, 3_600_000).optional().describe('How long a session outlives its socket.'),
  limits: z
    .record(z.string(), z.number({ error: (issue) => `${shown(issue.input)} is not a number` }), {
      error: () => 'is not a mapping of limits such as {idle_timeout_ms: 30000}',
    })
    .superRefine((limits, context) => {
      for (const [name, value] of Object.entries(limits)) {
        const message = limitNames.includes(name)
          ? limitProblem(name as LimitName, value)
          : `is not a limit of the server${didYouMean(name, limitNames)}; allowed: ${limitNames.join(', ')}`;
        if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
      }
    })
    .optional()
    .meta({
      description: 'Any limits of docs/protocol.md, by the names they have there.',
      properties: limitProperties(),
      additionalProperties: false,
    }),
  model: text('the path of a model package').optional().describe('Relative to the scenario.'),
  device: text('auto, cpu, cuda, webgpu or wasm').optional(),
  gateways: integer(1, 64)
    .optional()
    .describe(
      'Processes behind its port; default: 1 for each 3 cores. With nodes or a store: servers of one service, each on a port of its own.',
    ),
  nodes: integer(1, 16).optional().describe('A gateway and so many inference nodes, each a process of its own.'),
  zones: integer(2, 16)
    .optional()
    .describe('Places that fail as a whole (killZone): gateways and nodes are shared out among them in turn.'),
  slots: integer(1, 100_000).optional().describe('Sessions that each node takes at once.'),
  tenants: tenants
    .optional()
    .describe('Who its learners belong to, each with caps and a token of its own; the label tenant.'),
  tls: yesOrNo()
    .optional()
    .describe('Certificates of an authority that the test makes: learners come by TLS, trunks show them to both ends.'),
  store: z
    .literal('redis', { error: (issue) => `${shown(issue.input)} is not a store; allowed: redis` })
    .optional()
    .describe('A Redis beside the gateways, of the redis-server on PATH: a session is resumed at any of them.'),
  handoff: z
    .literal('kafka', { error: (issue) => `${shown(issue.input)} is nothing that hands over; allowed: kafka` })
    .optional()
    .describe(
      'A Kafka beside the gateways, of the installation in KAFKA_HOME: what cannot be finished live goes there.',
    ),
  workers: integer(1, 16).optional().describe('Processes that score what was handed over; default 1.'),
  routing: text('the path of a routing policy')
    .optional()
    .describe('Which backend writes each transcript; relative to the scenario.'),
}).superRefine(({ zones, nodes, handoff, store, workers }, context) => {
  const problem = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  if (handoff !== undefined && store === undefined)
    problem('handoff', 'needs a store for keys and results; write store: redis beside it');
  if (workers !== undefined && handoff === undefined)
    problem('workers', 'is for a server that hands over; write handoff: kafka beside it');
  if (zones === undefined) return;
  if (nodes === undefined) problem('zones', 'is for a server with nodes; write nodes beside it');
  else if (zones > nodes) problem('zones', `is ${zones}, but there are ${nodes} nodes: a zone would be empty`);
}, despiteProblems);

/** Without a url: a server of this version is started beside the test, on a port of its own. */
export const target = section({
  url: text('a ws://, wss://, grpc:// or grpcs:// URL')
    .transform(throughUnit(checkAnyUrl))
    .optional()
    .describe(
      '${env:NAME} in it is read from the environment. Without it a server of this version is started beside the test.',
    ),
  alsoAt: z
    .array(text('a ws://, wss://, grpc:// or grpcs:// URL').transform(throughUnit(checkAnyUrl)), {
      error: () => 'is not a list of URLs such as [ws://127.0.0.1:8081]',
    })
    .optional()
    .describe('Other servers of the service at url: learners are spread over them in turn, and resume at the next.'),
  protocol: text('the name of a protocol, or the path of one')
    .superRefine((name, context) => {
      const message = protocolNameProblem(name);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .prefault('speechfb')
    .describe('What the server speaks: a name, or a .yaml of kind StreamProtocol or a .mjs, relative to the scenario.'),
  transport: z
    .enum(transports, { error: (issue) => isNot(issue.input, `one of ${transports.join(', ')}`) })
    .prefault('websocket')
    .describe(
      'What carries speechfb.v1: a WebSocket over TCP, over one stream of QUIC, or that with the sound as datagrams beside it. QUIC is at the UDP port of the same number.',
    ),
  options: z
    .record(z.string(), z.unknown(), { error: () => 'is not a mapping such as {model: nova-3}' })
    .optional()
    .describe('Of the protocol, as its model.'),
  auth: auth.optional().describe('What the server wants to see, where a bearer token is not enough.'),
  consent: text('the host that may be loaded')
    .optional()
    .describe('The host of url, if it is beyond loopback and private addresses: you may load it.'),
  token: text('${env:NAME}')
    .regex(/^\$\{[^}]*\}$/, {
      error: () => 'is a secret, which no file should hold; write ${env:NAME}, or use tokenFile',
    })
    .optional()
    .describe('The bearer token, as ${env:NAME}: read from the environment, written nowhere.'),
  tokenFile: text('the path of a token file')
    .optional()
    .describe('The last word of its first line is the bearer token; relative to the scenario.'),
  tls: section({
    ca: text('the path of a PEM certificate authority')
      .optional()
      .describe("PEM, trusted beside the system's authorities; relative to the scenario."),
    insecure: yesOrNo().optional().describe('Trusts any certificate.'),
  }).optional(),
  embedded: embedded.optional().describe('Options of the server that the test starts.'),
})
  .superRefine(checkTarget, despiteProblems)
  .transform((given) => {
    const { url, alsoAt, protocol } = given;
    if (!url || protocol !== 'speechfb') return given;
    return { ...given, url: withStreamPath(url), ...(alsoAt && { alsoAt: alsoAt.map(withStreamPath) }) };
  });

/** What is loaded, for people: `embedded`, or `wss://host/v1/stream by quic-datagram`. */
export function targetText({ url, transport }: Pick<z.output<typeof target>, 'url' | 'transport'>): string {
  return `${url ?? 'embedded'}${transport === 'websocket' ? '' : ` by ${transport}`}`;
}

/** Protocols that the embedded server speaks beside its own. */
const spokenHere = ['speechfb', 'deepgram', 'openai-realtime'];

/** The option that tells it what is read, by protocol. */
const toldBy: Partial<Record<string, string>> = { deepgram: 'reference', 'openai-realtime': 'prompt' };

type LooseTarget = {
  url?: unknown;
  alsoAt?: unknown;
  protocol?: string;
  transport?: unknown;
  auth?: unknown;
  token?: unknown;
  tokenFile?: unknown;
  consent?: unknown;
  tls?: { ca?: unknown; insecure?: unknown } | undefined;
  embedded?: unknown;
  options?: unknown;
};

function checkTarget(given: LooseTarget, context: z.RefinementCtx): void {
  const { url, token, tokenFile, tls, embedded: options, protocol = 'speechfb' } = given;
  const problem = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (url !== undefined && options)
    problem('embedded', 'is for a server that the test starts, but target.url is given');
  checkOthers(url, given.alsoAt, problem);
  const unreachable = transportProblem(given);
  if (unreachable !== undefined) problem('transport', unreachable);
  if (token !== undefined && tokenFile !== undefined) problem('tokenFile', 'is given beside token; keep one');
  if (tls && url instanceof SecretUrl && !url.isSecure)
    problem('tls', `is for ${url.isGrpc ? 'grpcs' : 'wss'}:// URLs, but target.url is ${url}`);
  if (tls && options) problem('tls', 'is for wss:// URLs; the embedded server listens on loopback without TLS');
  if (isMapping(options) && options.tenants !== undefined && (token !== undefined || tokenFile !== undefined))
    problem(
      token === undefined ? 'tokenFile' : 'token',
      'contradicts embedded.tenants, which have tokens of their own; leave it out',
    );
  if (tls?.ca !== undefined && tls.insecure) problem('tls', 'has both ca and insecure; keep one');
  if (url === undefined && given.consent !== undefined) problem('consent', 'is for a target.url, and there is none');
  if (url === undefined && given.auth !== undefined)
    problem('auth', 'is for a target.url; the server that the test starts lets everybody in');
  const places: unknown[] = Array.isArray(given.auth) ? given.auth : [];
  const bearer = token !== undefined || tokenFile !== undefined;
  if (bearer && places.some((one) => isMapping(one) && /^authorization$/i.test(`${one.header}`)))
    problem('auth', 'has the header Authorization, in which the token goes too; keep one');
  if (url instanceof SecretUrl && url.isGrpc && places.some((one) => isMapping(one) && one.header === undefined))
    problem('auth', 'goes into the metadata of a call of gRPC, which has headers alone; write header');
  const known = isProtocolFile(protocol) || protocolNameProblem(protocol) === undefined;
  if (url === undefined && known && !spokenHere.includes(protocol))
    problem(
      'protocol',
      `${protocol} needs target.url: the server that the test starts speaks ${spokenHere.join(', ')}`,
    );
  const told = url === undefined ? toldBy[protocol] : undefined;
  if (told && !`${(given.options as Record<string, unknown> | undefined)?.[told]}`.includes('{reference}'))
    problem('options', `the server that the test starts asks what is read; say ${told}: "{reference}"`);
}

/**
 * Why a target cannot be reached by its transport; undefined: it can. QUIC is encrypted, and is
 * spoken by servers of speechfb.v1.
 */
export function transportProblem({ url, transport, protocol, embedded: options }: LooseTarget): string | undefined {
  if (transport !== 'quic-stream' && transport !== 'quic-datagram') return undefined;
  if (protocol !== 'speechfb') return `${transport} is for speechfb; others are spoken over WebSockets or gRPC`;
  if (url instanceof SecretUrl && !url.isSecure) return `${transport} needs a wss:// URL, but target.url is ${url}`;
  if (!isMapping(options)) return undefined;
  return options.tls === false ? `${transport} contradicts embedded.tls: false: QUIC is always encrypted` : undefined;
}

/** All servers of a service are reached in one way, with the same token. */
function checkOthers(url: unknown, alsoAt: unknown, problem: (path: string, message: string) => void): void {
  if (!Array.isArray(alsoAt)) return;
  if (url === undefined) problem('alsoAt', 'is for other servers than target.url, and there is none');
  if (!(url instanceof SecretUrl)) return;
  for (const other of alsoAt) {
    if (!(other instanceof SecretUrl) || (other.isSecure === url.isSecure && other.isGrpc === url.isGrpc)) continue;
    problem('alsoAt', `has ${other}, which is not reached as target.url ${url} is; all servers of a service are`);
  }
}

/** The limits and their ranges, for editors that know the schema. */
function limitProperties(): Record<string, object> {
  const ofRange = ({ least, most, whole }: LimitRange) => ({
    type: whole ? 'integer' : 'number',
    minimum: least,
    maximum: most,
  });
  return Object.fromEntries(Object.entries(limitRanges).map(([name, range]) => [name, ofRange(range)]));
}
