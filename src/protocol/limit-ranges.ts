/** What a limit may be set to, both ends inside. */
export type LimitRange = {
  least: number;
  most: number;
  /** Only whole numbers. */
  whole?: true;
};

/** A timer of more than 24 days would fire at once. */
const dayMs = 86_400_000;
const ms: LimitRange = { least: 1, most: dayMs };
const msOrNone: LimitRange = { least: 0, most: dayMs };
const count: LimitRange = { least: 1, most: 1_000_000_000, whole: true };
const countOrNone: LimitRange = { ...count, least: 0 };
const perSecond: LimitRange = { least: 0.001, most: 1_000_000_000 };
const share: LimitRange = { least: 0.001, most: 1 };
const growth: LimitRange = { least: 0, most: 1000 };
/** In `overload_delay_ms`. */
const delays: LimitRange = { least: 0.1, most: 1000 };
const bytes: LimitRange = { least: 1, most: 1_073_741_824, whole: true };
/** A start fits in the least; four times the most is still read, to be refused with a sentence. */
const messageBytes: LimitRange = { least: 512, most: 134_217_728, whole: true };
/** Node refuses requests with less, and more is no header. */
const headerBytes: LimitRange = { least: 512, most: 1_048_576, whole: true };

/**
 * Every limit of a server by the name that `--limit`, scenarios, `/metrics` and docs/protocol.md
 * use, and what it may be.
 */
export const limitRanges = {
  max_sessions: count,
  max_connections: count,
  max_pending_connections: count,
  max_pending_per_address: count,
  handshakes_per_second: perSecond,
  handshake_burst: count,
  handshake_timeout_ms: ms,
  max_header_bytes: headerBytes,
  starts_per_second: perSecond,
  start_burst: count,
  place_share: share,
  rate_share: share,
  max_sessions_per_token: count,
  max_sessions_per_address: count,
  max_connections_per_token: count,
  max_connections_per_address: count,
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
  max_session_ms: ms,
  idle_timeout_ms: ms,
  start_timeout_ms: ms,
  max_buffered_ms: ms,
  resume_ttl_ms: msOrNone,
  inference_timeout_ms: ms,
  min_gap_wait_ms: msOrNone,
  max_gap_wait_ms: msOrNone,
  ack_interval_ms: ms,
  heartbeat_ms: ms,
  max_replay_bytes: bytes,
  retained_sound_ms: ms,
  transcript_wait_ms: ms,
  max_held_bytes: bytes,
  congested_bytes: bytes,
  max_unsent_bytes: bytes,
  slow_reader_ms: ms,
  busy_step_p95_ms: ms,
  busy_share: share,
  silent_model_ms: ms,
  silent_scoring_ms: ms,
  max_finishing: count,
  overload_delay_ms: ms,
  overload_interval_ms: ms,
  decide_every_ms: ms,
  larger_groups_at: delays,
  half_rate_at: delays,
  finals_only_at: delays,
  words_only_at: delays,
  shedding_at: delays,
  recovered_below: share,
  step_up_ms: msOrNone,
  step_down_ms: msOrNone,
  step_too_soon_ms: msOrNone,
  most_step_down_ms: msOrNone,
  runaway_share: share,
  catch_up_ms: ms,
  most_catch_up_share: share,
  shed_share: share,
  shed_every_ms: msOrNone,
  fixed_sessions: countOrNone,
  initial_sessions: countOrNone,
  sessions_a_core: count,
  least_sessions: countOrNone,
  max_utilisation: share,
  known_utilisation: share,
  full_share: share,
  limit_growth: growth,
  limit_climb_per_second: growth,
  limit_growth_idle: share,
  limit_climb_idle: share,
  limit_haste_ms: ms,
  limit_decrease: share,
  limit_cut_every_ms: msOrNone,
  batch_share: share,
  batch_shed_share: share,
  batch_shed_every_ms: msOrNone,
  return_ms: msOrNone,
  go_away_ms: msOrNone,
  unnamed_per_second: perSecond,
  unnamed_burst: count,
  busy_retry_ms: ms,
  silent_gateway_ms: ms,
  hung_gateway_ms: ms,
  drain_ms: msOrNone,
} as const satisfies Record<string, LimitRange>;

export type LimitName = keyof typeof limitRanges;

export const limitNames: readonly string[] = Object.keys(limitRanges);

/** Why a limit may not be that; undefined: it may. */
export function limitProblem(name: LimitName, value: number): string | undefined {
  const { least, most, whole }: LimitRange = limitRanges[name];
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return undefined;
  return `${value} is not allowed; allowed: ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`;
}
