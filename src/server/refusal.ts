import type { WireErrorCode } from '../protocol/codes.ts';

/** Why something was refused: the wire error, a sentence, and when to try again. */
export type Refusal = { code: WireErrorCode; message: string; retryAfterMs?: number };
