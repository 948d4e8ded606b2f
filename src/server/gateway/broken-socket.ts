import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

/**
 * Counts a socket that broke the WebSocket protocol, and logs it in words of ours; ws closes it
 * with the code that is counted.
 *
 * @param error what ws says of it
 * @param tenant whose client it is, by its name in the tenants' file
 */
export function noteBrokenSocket(
  { metrics, log }: { metrics: Metrics; log: Log },
  error: Error & { code?: unknown },
  tenant?: string,
): void {
  const [close, why] = breaches[String(error.code)] ?? unknownBreach;
  metrics.brokenSocket(String(close));
  log.warn({ close, why, tenant }, 'a socket broke the WebSocket protocol');
}

/** With a close code of RFC 6455 section 7.4.1. */
type Breach = readonly [close: 1002 | 1007 | 1008 | 1009, why: string];

const unknownBreach: Breach = [1002, 'it sent no frame'];

/** By the code of the error that ws makes of it. */
const breaches: Readonly<Record<string, Breach>> = {
  WS_ERR_EXPECTED_FIN: [1002, 'a control frame came in pieces'],
  WS_ERR_EXPECTED_MASK: [1002, 'a frame was not masked'],
  WS_ERR_INVALID_CLOSE_CODE: [1002, 'it closed with a code that nobody may send'],
  WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: [1002, 'a control frame had more than 125 bytes'],
  WS_ERR_INVALID_OPCODE: [1002, 'a frame was of no kind that could come then'],
  WS_ERR_UNEXPECTED_RSV_1: [1002, 'a frame was compressed, which nobody had agreed on'],
  WS_ERR_UNEXPECTED_RSV_2_3: [1002, 'a frame had reserved bits'],
  WS_ERR_INVALID_UTF8: [1007, 'a text was no UTF-8'],
  WS_ERR_TOO_MANY_BUFFERED_PARTS: [1008, 'a message came in too many pieces'],
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: [1009, 'a frame was longer than any may be'],
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: [1009, 'a message was longer than any may be'],
};
