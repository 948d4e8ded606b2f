import type { TlsOptions } from '../client/link/websocket-connection.ts';
import type { SecretUrl } from '../secret-url.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Time } from './time.ts';

export type HttpBatchOptions = {
  name: string;
  url: SecretUrl;
  apiKey: string | undefined;
  model: string;
  tls?: TlsOptions | undefined;
  /**
   * Asks a second time when the first answer has not come for so long, ms, and takes what comes
   * first; each such request takes from the budget of retries. Undefined: never.
   */
  hedgeAfterMs?: number | undefined;
  retryBudget: RetryBudget;
  time: Time;
};
