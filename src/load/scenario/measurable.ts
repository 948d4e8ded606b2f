import type { Dialect } from '../../dialects/dialect.ts';
import type { MetricName } from '../../metrics/definitions.ts';
import { faultTable } from '../fault/index.ts';
import { directNetwork } from '../plan/learner-plan.ts';
import { entriesOf } from './faults-schema.ts';
import type { LoadScenario } from './scenario.ts';

/**
 * What a scenario asks for that what carries the dialect's messages cannot do, each at its path
 * below `spec`: a URL of another kind, or over gRPC a network. Simulated networks carry messages of
 * a WebSocket; what HTTP/2 makes of messages is grpc-js's own. `dialect` undefined: speechfb.v1.
 */
export function carrierProblems(
  { target, mix = [], faults }: Pick<LoadScenario['spec'], 'target' | 'mix' | 'faults'>,
  dialect: Pick<Dialect, 'name' | 'carrier'> | undefined,
): { path: PropertyKey[]; message: string }[] {
  const overGrpc = dialect?.carrier === 'grpc';
  const { url } = target;
  const wrongUrl = url !== undefined && url.isGrpc !== overGrpc;
  const carried = overGrpc ? 'gRPC: write grpc://host:port or grpcs://host:port' : 'a WebSocket: write ws:// or wss://';
  const address = wrongUrl
    ? [{ path: ['target', 'url'], message: `${dialect?.name ?? 'speechfb'} is spoken over ${carried}` }]
    : [];
  if (!overGrpc) return address;
  const instead = 'put speechfb netsim NETWORK --listen :9000 --upstream HOST:PORT before the server, and call that';
  const networks = mix.flatMap(({ network }, index) =>
    network === directNetwork
      ? []
      : [{ path: ['mix', index, 'network'], message: `networks are not simulated for gRPC; ${instead}` }],
  );
  const simulated = faults.flatMap((given, index) =>
    entriesOf(given).flatMap(([{ key }]) =>
      faultTable.some((fault) => fault.key === key && 'simulated' in fault)
        ? [{ path: ['faults', index, key], message: `acts on simulated networks, and there are none for gRPC` }]
        : [],
    ),
  );
  return [...address, ...networks, ...simulated];
}

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
  resent_frames: () => 'is sent no frame again: use availability',
  sessions_sent_away: () => 'sends no session away with a time to come back: use sessions_died',
  violations: () => 'is not held to the rules of speechfb.v1: use session_success',
};
