import {
  type Loss,
  type NetworkEvent,
  type NetworkProfile,
  type PathProfile,
  rfc9002Windows,
} from '../profile/profile.ts';

/** A network without any impairment, from which every other is built. */
export const idealNetwork: NetworkProfile = {
  name: 'ideal',
  source: 'nothing is delayed, lost or shaped',
  transport: 'tcp',
  tcp: { congestion: 'cubic', rtoMinUs: 200_000 },
  quic: rfc9002Windows,
  up: idealPath(),
  down: idealPath(),
  events: [],
};

/** One direction in the units that the tools publish. */
export type Figures = {
  kbit: number;
  /** One way. */
  ms: number;
  jitterMs?: number;
  lossPercent?: number;
  loss?: Loss;
};

/**
 * A network of a tool that publishes rate, latency and perhaps loss; the rest is ours and said in
 * docs/network.md.
 */
export function figures(
  name: string,
  source: string,
  { up, down, events = [] }: { up: Figures; down: Figures; events?: readonly NetworkEvent[] },
): NetworkProfile {
  return { ...idealNetwork, name, source, transport: 'tcp-tls', up: path(up), down: path(down), events };
}

/** The same network under another name. */
export function alias(name: string, of: NetworkProfile): NetworkProfile {
  return { ...of, name };
}

function path({ kbit, ms, jitterMs, lossPercent, loss }: Figures): PathProfile {
  const jitter = { valueUs: (jitterMs ?? 0) * 1000, distribution: 'normal', correlation: 0 } as const;
  return {
    ...idealPath(),
    delayUs: ms * 1000,
    jitter: jitterMs === undefined ? undefined : jitter,
    rateBitsPerSecond: kbit * 1000,
    queuePackets: assumedQueuePackets,
    loss: loss ?? (lossPercent === undefined ? { model: 'none' } : { model: 'iid', share: lossPercent / 100 }),
  };
}

/** No tool says how much its queue holds. */
const assumedQueuePackets = 100;

function idealPath(): PathProfile {
  return {
    delayUs: 0,
    jitter: undefined,
    reorder: false,
    rateBitsPerSecond: undefined,
    // netem's default.
    queuePackets: 1000,
    loss: { model: 'none' },
    opportunitiesMs: undefined,
  };
}
