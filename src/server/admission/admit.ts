import type { StartMessage } from '../../protocol/client-messages.ts';
import type { Refusal } from '../refusal.ts';

/** Asks whether a session may begin, or come here from another gateway. */
export type Admit = (
  start: StartMessage,
  phones: number,
  isReturn?: boolean,
) => Refusal | TakePlace | Promise<Refusal | StartDecision>;

/** Takes the place of a session that was admitted; the function that it gives frees it. */
export type TakePlace = () => () => void;

/**
 * An answer that took its time: a place, to be taken or declined, or which gateway has begun the
 * session already.
 */
export type StartDecision = { take: TakePlace; decline(): void } | { elsewhere: number };
