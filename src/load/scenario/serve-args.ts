import { entriesOf, type FaultSpec } from './faults-schema.ts';

/**
 * What a scenario may say about the server that it starts; durations in ms, limits by their wire
 * names.
 */
export type ServeOptions = {
  maxSessions?: number | undefined;
  resumeTtl?: number | undefined;
  limits?: Readonly<Record<string, number>> | undefined;
  model?: string | undefined;
  device?: string | undefined;
};

/** The same as flags of `speechfb serve`, which must allow the faults that the test will make. */
export function serveArgs(options: ServeOptions = {}, faults: readonly FaultSpec[] = []): string[] {
  const { maxSessions, resumeTtl, limits = {}, model, device } = options;
  const faultFlags = faults.flatMap(entriesOf).flatMap(([fault]) => ('serveFlag' in fault ? [fault.serveFlag] : []));
  return [
    ...(maxSessions === undefined ? [] : ['--max-sessions', `${maxSessions}`]),
    ...(resumeTtl === undefined ? [] : ['--resume-ttl', `${resumeTtl}ms`]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(device === undefined ? [] : ['--device', device]),
    ...Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`]),
    ...new Set(faultFlags),
  ];
}

/**
 * The limits of the server as docs/protocol.md names them; a test holds this to the server's own
 * list.
 */
export const limitNames: readonly string[] = [
  'max_sessions',
  'max_connections',
  'max_pending_connections',
  'max_pending_per_address',
  'handshake_timeout_ms',
  'max_header_bytes',
  'starts_per_second',
  'start_burst',
  'place_share',
  'rate_share',
  'max_sessions_per_token',
  'max_sessions_per_address',
  'max_connections_per_token',
  'max_connections_per_address',
  'resumes_per_second',
  'resume_burst',
  'max_addresses',
  'max_text_phones',
  'phones_per_second',
  'phone_burst',
  'start_phones_per_second',
  'start_phone_burst',
  'max_open_phones',
  'max_frame_bytes',
  'max_message_bytes',
  'frames_per_second',
  'frame_burst',
  'messages_per_second',
  'message_burst',
  'pings_per_second',
  'ping_burst',
  'max_session_ms',
  'idle_timeout_ms',
  'start_timeout_ms',
  'max_buffered_ms',
  'resume_ttl_ms',
  'inference_timeout_ms',
  'min_gap_wait_ms',
  'max_gap_wait_ms',
  'ack_interval_ms',
  'heartbeat_ms',
  'max_replay_bytes',
  'max_held_bytes',
  'congested_bytes',
  'max_unsent_bytes',
  'slow_reader_ms',
  'busy_step_p95_ms',
  'busy_share',
  'silent_model_ms',
  'silent_scoring_ms',
  'max_finishing',
  'overload_delay_ms',
  'overload_interval_ms',
  'initial_sessions',
  'least_sessions',
  'max_utilisation',
  'busy_retry_ms',
  'drain_ms',
];
