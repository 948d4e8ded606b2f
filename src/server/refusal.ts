import type { WireErrorCode } from '../protocol/codes.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Limits, wireName } from './limits.ts';

/** Why something was refused: the wire error, a sentence, and when to try again. */
export type Refusal = {
  code: WireErrorCode;
  message: string;
  retryAfterMs?: number;
  /** The limit that was met, where one of the server's was. */
  limit?: keyof Limits;
};

/**
 * Counts a refusal that a client is told, and logs it without its sentence, which may quote.
 *
 * @param tenant whose client it is, by its name in the tenants' file
 */
export function noteRefusal(
  { metrics, log }: { metrics: Metrics; log: Log },
  { code, limit }: Refusal,
  tenant?: string,
): void {
  metrics.refusal(code);
  const name = limit && wireName(limit);
  if (name !== undefined) metrics.limit(name);
  log.warn({ code, limit: name, tenant }, `a client was refused: ${code}`);
}
