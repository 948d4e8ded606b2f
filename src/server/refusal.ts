import type { WireErrorCode } from '../protocol/codes.ts';
import type { Limits } from './limits.ts';

/** Why something was refused: the wire error, a sentence, and when to try again. */
export type Refusal = {
  code: WireErrorCode;
  message: string;
  retryAfterMs?: number;
  /** The limit that was met, where one of the server's was. */
  limit?: keyof Limits;
};
