import type { Dialect } from '../../dialects/dialect.ts';
import type { MetricName } from '../../metrics/definitions.ts';
import type { MixedNetworks } from './networks.ts';
import type { LoadScenario } from './scenario.ts';

/**
 * What a scenario asks for that what carries the dialect's messages cannot do, each at its path
 * below `spec`: a URL of another kind, or over gRPC a network of datagrams, which loses bytes of a
 * stream for good. `dialect` undefined: speechfb.v1.
 */
export function carrierProblems(
  { url }: LoadScenario['spec']['target'],
  { networks, mix }: MixedNetworks,
  dialect: Pick<Dialect, 'name' | 'carrier'> | undefined,
): { path: PropertyKey[]; message: string }[] {
  const overGrpc = dialect?.carrier === 'grpc';
  const wrongUrl = url !== undefined && url.isGrpc !== overGrpc;
  const carried = overGrpc ? 'gRPC: write grpc://host:port or grpcs://host:port' : 'a WebSocket: write ws:// or wss://';
  const address = wrongUrl
    ? [{ path: ['target', 'url'], message: `${dialect?.name ?? 'speechfb'} is spoken over ${carried}` }]
    : [];
  if (!overGrpc) return address;
  const datagrams = mix.flatMap(({ network }, index) =>
    networks[network]?.transport === 'quic-datagram'
      ? [{ path: ['mix', index, 'network'], message: `"${network}" ${losesBytes}` }]
      : [],
  );
  return [...address, ...datagrams];
}

const losesBytes =
  'has transport: quic-datagram, and gRPC is a stream of bytes; allowed: networks of tcp, tcp-tls or quic-stream';

/**
 * Why a server of this dialect cannot be measured by a metric, and by which it can, as a sentence;
 * undefined where it can.
 */
export function unmeasurable(metric: MetricName, { name, tells }: Pick<Dialect, 'name' | 'tells'>): string | undefined {
  const why = reasons[metric]?.(tells);
  return why && `${name} ${why}`;
}

type Reason = (tells: Dialect['tells']) => string | undefined;

const withPartials: Reason = ({ partials }) =>
  partials ? undefined : 'says no text before an utterance is over: use final_latency';

const ofPhones: Reason = () => 'tells no phones: use word_latency';

/** What only some servers tell; everything else is seen from outside. */
const reasons: { readonly [M in MetricName]?: Reason } = {
  feedback_latency: ({ reach }) =>
    reach === 'field' || reach === 'replies' ? undefined : 'does not say how far it has heard: use word_latency',
  first_partial: withPartials,
  partial_gap: withPartials,
  flicker_rate: withPartials,
  phoneme_latency: ofPhones,
  phoneme_final_latency: ofPhones,
  revision_rate: ({ partials }) => `tells no phones: use ${partials ? 'flicker_rate' : 'wer'}`,
  resume_time: () => 'resumes no session: use sessions_died',
  lost_frames: () => 'acknowledges no frames: use availability',
  lost_by_network: () => 'does not say which frames it missed: use availability',
  resent_frames: () => 'is sent no frame again: use availability',
  transcripts_moved: () => 'does not say what writes its transcripts: use word_latency',
  transcripts_lost: () => 'does not say what writes its transcripts: use word_latency',
  late_finals: () => 'tells no final after its session has ended: use sessions_died',
  sessions_sent_away: () => 'sends no session away with a time to come back: use sessions_died',
  violations: () => 'is not held to the rules of speechfb.v1: use session_success',
};
