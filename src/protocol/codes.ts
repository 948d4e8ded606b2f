/**
 * WebSocket close codes and the error codes that precede them. One table: docs/errors.md has a
 * heading for each, and a test holds the two together.
 */
export const wireErrors = {
  invalid_message: { close: 4400, retryable: false },
  protocol_order: { close: 4400, retryable: false },
  invalid_frame: { close: 4400, retryable: false },
  unauthorized: { close: 4401, retryable: false },
  forbidden: { close: 4403, retryable: false },
  wrong_region: { close: 4403, retryable: false },
  session_not_found: { close: 4404, retryable: false },
  idle_timeout: { close: 4408, retryable: true },
  session_conflict: { close: 4409, retryable: false },
  too_large: { close: 4413, retryable: false },
  session_too_long: { close: 4413, retryable: false },
  unsupported_audio: { close: 4415, retryable: false },
  invalid_reference: { close: 4422, retryable: false },
  slow_reader: { close: 1013, retryable: true },
  too_fast: { close: 4429, retryable: true },
  rate_limited: { close: 4429, retryable: true },
  tenant_cap: { close: 4429, retryable: true },
  quota: { close: 4429, retryable: false },
  server_busy: { close: 4503, retryable: true },
  inference_timeout: { close: 4504, retryable: true },
  internal: { close: 1011, retryable: true },
} as const satisfies Record<string, { close: number; retryable: boolean }>;

export type WireErrorCode = keyof typeof wireErrors;

/** Close codes without an error of their own. */
export const closeCodes = {
  normal: 1000,
  /** The server is going away after `go_away`. */
  goingAway: 1001,
  restart: 1012,
  tryLater: 1013,
} as const;
