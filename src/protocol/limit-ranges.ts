/** What a limit may be set to, both ends inside. */
export type LimitRange = {
  least: number;
  most: number;
  /** Only whole numbers. */
  whole?: true;
};

const minuteMs = 60_000;
const hourMs = 3_600_000;
/** A timer of more than 24 days would fire at once. */
const dayMs = 86_400_000;
/** How long something is waited for: sooner, nobody could have done it. */
const patience: LimitRange = { least: 100, most: hourMs };
/** Within a second or two it has to be felt. */
const reaction: LimitRange = { least: 10, most: minuteMs };
const pause: LimitRange = { least: 0, most: hourMs };
/** A client that is asked to come back at once would do nothing else. */
const retry: LimitRange = { least: 100, most: hourMs };
/** What says ten times a second that it lives may be late once. */
const silence: LimitRange = { least: 200, most: hourMs };
/** Sockets and what has one: a process has no more files. */
const sockets: LimitRange = { least: 1, most: 1_000_000, whole: true };
const socketsOrNone: LimitRange = { ...sockets, least: 0 };
const count: LimitRange = { least: 1, most: 1_000_000_000, whole: true };
const perSecond: LimitRange = { least: 0.001, most: 1_000_000 };
const share: LimitRange = { least: 0.001, most: 1 };
/** 0: however little is idle. */
const idle: LimitRange = { least: 0, most: 1 };
/** Places that double with each decision are as good as no limit. */
const growth: LimitRange = { least: 0, most: 1 };
/** At 0 a server that was late once would never let more in again. */
const climb: LimitRange = { least: 0.001, most: 1000 };
/** In `overload_delay_ms`. */
const delays: LimitRange = { least: 0.1, most: 100 };
const bytes: LimitRange = { least: 1, most: 1_073_741_824, whole: true };
/** A start fits in the least; four times the most is still read, to be refused with a sentence. */
const messageBytes: LimitRange = { least: 512, most: 16_777_216, whole: true };
/** Node refuses requests with less, and more is no header. */
const headerBytes: LimitRange = { least: 512, most: 1_048_576, whole: true };

/**
 * Every limit of a server by the name that `--limit`, scenarios, `/metrics` and docs/protocol.md
 * use, and what it may be.
 */
export const limitRanges = {
  max_sessions: sockets,
  max_connections: sockets,
  max_pending_connections: sockets,
  max_pending_per_address: sockets,
  handshakes_per_second: perSecond,
  handshake_burst: count,
  handshake_timeout_ms: patience,
  max_header_bytes: headerBytes,
  max_pipelined_requests: count,
  requests_per_second: perSecond,
  request_burst: count,
  request_turn_ms: { least: 0.01, most: 1000 },
  request_share: share,
  accepts_a_turn: { least: 1, most: 64, whole: true },
  starts_per_second: perSecond,
  start_burst: count,
  place_share: share,
  guaranteed_share: share,
  rate_share: share,
  max_sessions_per_token: sockets,
  max_sessions_per_address: sockets,
  max_connections_per_token: sockets,
  max_connections_per_address: sockets,
  resumes_per_second: perSecond,
  resume_burst: count,
  max_addresses: count,
  max_text_phones: count,
  phones_per_second: perSecond,
  phone_burst: count,
  start_phones_per_second: perSecond,
  start_phone_burst: count,
  max_open_phones: count,
  max_frame_bytes: messageBytes,
  max_message_bytes: messageBytes,
  frames_per_second: perSecond,
  frame_burst: count,
  messages_per_second: perSecond,
  message_burst: count,
  pings_per_second: perSecond,
  ping_burst: count,
  max_session_ms: { least: 100, most: dayMs },
  idle_timeout_ms: { least: 100, most: dayMs },
  start_timeout_ms: patience,
  max_buffered_ms: { least: 100, most: 10 * minuteMs },
  resume_ttl_ms: { least: 0, most: dayMs },
  inference_timeout_ms: patience,
  min_gap_wait_ms: { least: 0, most: minuteMs },
  max_gap_wait_ms: { least: 0, most: minuteMs },
  ack_interval_ms: { least: 1, most: minuteMs },
  heartbeat_ms: patience,
  max_replay_bytes: bytes,
  retained_sound_ms: { least: 1, most: hourMs },
  transcript_wait_ms: { least: 1, most: hourMs },
  max_held_bytes: bytes,
  congested_bytes: bytes,
  max_unsent_bytes: bytes,
  slow_reader_ms: patience,
  // A device that takes minutes is slow, and may be wanted all the same.
  busy_step_p95_ms: { least: 1, most: hourMs },
  busy_share: share,
  silent_model_ms: silence,
  silent_scoring_ms: silence,
  max_finishing: count,
  overload_delay_ms: { least: 10, most: hourMs },
  overload_interval_ms: { least: 100, most: minuteMs },
  decide_every_ms: reaction,
  larger_groups_at: delays,
  half_rate_at: delays,
  finals_only_at: delays,
  words_only_at: delays,
  shedding_at: delays,
  recovered_below: share,
  step_up_ms: pause,
  step_down_ms: pause,
  step_too_soon_ms: pause,
  most_step_down_ms: pause,
  runaway_share: share,
  catch_up_ms: { least: 100, most: minuteMs },
  most_catch_up_share: { least: 0.001, most: 0.9 },
  shed_share: share,
  shed_every_ms: pause,
  fixed_sessions: socketsOrNone,
  initial_sessions: socketsOrNone,
  sessions_a_core: { least: 1, most: 100_000, whole: true },
  least_sessions: socketsOrNone,
  max_utilisation: { least: 0.1, most: 1 },
  known_utilisation: share,
  full_share: { least: 0.1, most: 1 },
  limit_growth: growth,
  limit_climb_per_second: climb,
  limit_growth_idle: share,
  limit_climb_idle: idle,
  limit_haste_ms: { least: 100, most: hourMs },
  limit_decrease: { least: 0.5, most: 1 },
  limit_cut_every_ms: pause,
  batch_share: share,
  batch_shed_share: share,
  batch_shed_every_ms: pause,
  return_ms: pause,
  go_away_ms: pause,
  unnamed_per_second: perSecond,
  unnamed_burst: count,
  busy_retry_ms: retry,
  silent_gateway_ms: silence,
  hung_gateway_ms: { least: 1000, most: hourMs },
  drain_ms: { least: 0, most: dayMs },
} as const satisfies Record<string, LimitRange>;

export type LimitName = keyof typeof limitRanges;

export const limitNames: readonly string[] = Object.keys(limitRanges);

/** Why a limit may not be that; undefined: it may. */
export function limitProblem(name: LimitName, value: number): string | undefined {
  const { least, most, whole }: LimitRange = limitRanges[name];
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return undefined;
  return `${value} is not allowed; allowed: ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`;
}
