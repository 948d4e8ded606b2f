import type { BackendError, ErrorClass } from './backend.ts';

/** What is known of a failure: a status of HTTP, a code and words of the backend. */
export type Failure = {
  message: string;
  status?: number | undefined;
  /** As `insufficient_quota`, `TOO_MANY_REQUESTS`. */
  code?: string | undefined;
  retryAfterMs?: number | undefined;
};

/**
 * The error of a failure. Words about money go before the status: OpenAI answers 429 both to those
 * who ask too often and to those whose quota is spent, and only the first may come again soon.
 */
export function backendError({ message, status, code, retryAfterMs }: Failure): BackendError {
  const asked = retryAfterMs !== undefined && retryAfterMs >= 0 ? Math.min(retryAfterMs, longestAskedMs) : undefined;
  return {
    class: classOf(status, `${code ?? ''} ${message}`),
    message,
    ...(asked !== undefined && { retryAfterMs: asked }),
  };
}

/** Nobody is left alone for longer, whatever he asks for: a clock of his may be wrong. */
const longestAskedMs = 3_600_000;

function classOf(status: number | undefined, words: string): ErrorClass {
  if (status === 402 || aboutMoney.test(words)) return 'budget';
  if (status === 401 || status === 403) return 'auth';
  if (status === 429) return 'rate';
  if (status !== undefined) return 'fault';
  if (aboutKeys.test(words)) return 'auth';
  return aboutRates.test(words) ? 'rate' : 'fault';
}

const aboutMoney =
  /insufficient_quota|billing|payment_required|not enough credits|credit balance|exceeded your current quota/i;
const aboutKeys =
  /invalid_(api_key|auth|credentials)|authentication_error|unauthori[sz]ed|insufficient_permissions|permission_denied/i;
const aboutRates = /rate_limit|too_many_requests|too many requests|concurrency limit|resource_exhausted/i;
