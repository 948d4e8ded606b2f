/**
 * A mobile network as the model needs it: values only, times in whole microseconds. What people
 * write (units, names, `extends`) is turned into this by network-schema.ts.
 */
export type NetworkProfile = {
  name: string;
  /** Where the figures come from, in a few words. */
  source: string;
  transport: TransportName;
  tcp: { congestion: 'cubic'; rtoMinUs: number };
  quic: QuicWindows;
  up: PathProfile;
  down: PathProfile;
  events: readonly NetworkEvent[];
};

/**
 * `tcp` and `tcp-tls` differ in what a connection costs; the QUIC transports are modelled.
 */
export type TransportName = 'tcp' | 'tcp-tls' | 'quic-stream' | 'quic-datagram';

/**
 * What a QUIC may have on its way at first, and at least whatever is lost; bytes of UDP payload.
 * Implementations differ by orders of magnitude.
 */
export type QuicWindows = { initialWindowBytes: number; leastWindowBytes: number };

/** RFC 9002, section 7.2: ten packets, and two, of 1,200 bytes. */
export const rfc9002Windows: QuicWindows = { initialWindowBytes: 12_000, leastWindowBytes: 2400 };

export type Direction = 'up' | 'down';

/** One direction of the path. */
export type PathProfile = {
  /** One way. */
  delayUs: number;
  jitter: Jitter | undefined;
  /** Whether jitter may let a packet overtake another, as netem does and cellular links do not. */
  reorder: boolean;
  /** Undefined: as fast as one likes. */
  rateBitsPerSecond: number | undefined;
  /** Packets that wait for the link; one more is dropped. */
  queuePackets: number;
  loss: Loss;
  /**
   * Mahimahi: times at which one packet of 1,500 bytes may leave, ms, repeated for ever; takes the
   * place of the rate.
   */
  opportunitiesMs: readonly number[] | undefined;
};

export type Jitter = {
  valueUs: number;
  distribution: 'uniform' | 'normal' | 'pareto' | 'paretonormal';
  /** Correlation of each draw with the one before, 0 to 1. */
  correlation: number;
};

/** Shares from 0 to 1. */
export type Loss =
  | { model: 'none' }
  | { model: 'iid'; share: number }
  /** Dwells in ms of time: it goes on while nothing is sent. Means of exponential dwells. */
  | { model: 'gilbert-elliott'; clock: 'time'; goodUs: number; badUs: number; lossGood: number; lossBad: number }
  /**
   * netem's `gemodel p r 1-h 1-k`: the state moves with each packet, and stands still while none is
   * sent.
   */
  | { model: 'gilbert-elliott'; clock: 'packet'; p: number; r: number; lossGood: number; lossBad: number };

/**
 * When something happens on the path: once, or again and again with a uniform spread around the
 * period.
 */
export type Schedule = { atUs: number } | { everyUs: number; spreadUs: number };

/** What becomes of packets in a gap: kept and delivered after it, or dropped. */
export type GapMode = 'buffer' | 'drop';

export type NetworkEvent =
  /** The radio moves to another cell. */
  | { kind: 'handover'; when: Schedule; gapUs: number; mode: GapMode }
  /** The direction that it hits; both when none is named. */
  | { kind: 'outage'; when: Schedule; gapUs: number; mode: GapMode; direction?: Direction }
  /**
   * The device gets another address. The old connection dies: `silent` says nothing to anybody,
   * `rst` resets it. The app opens a new one after a backoff with full jitter.
   */
  | { kind: 'ip-change'; when: Schedule; oldSocket: 'silent' | 'rst'; backoffUs: { first: number; most: number } };
