import type { StartMessage } from '../../protocol/client-messages.ts';
import type { Refusal } from '../refusal.ts';

/** Asks whether a session may begin, or come here from another gateway. */
export type Admit = (
  start: StartMessage,
  phones: number,
  isReturn?: boolean,
) => Refusal | TakePlace | Promise<Refusal | StartDecision>;

/** Takes the place of a session that was admitted; the function that it gives frees it. */
export type TakePlace = {
  (): () => void;
  /**
   * Another backend hears the session and nobody scores it: it takes no place of the own model.
   */
  readonly isElsewhere: boolean;
  /** Another session of this gateway goes for it. */
  readonly sendsAway: boolean;
};

/** What is called to take a place, with what is known of that place. */
export function takePlace(
  take: () => () => void,
  { isElsewhere, sendsAway }: Pick<TakePlace, 'isElsewhere' | 'sendsAway'>,
): TakePlace {
  return Object.assign(take, { isElsewhere, sendsAway });
}

/**
 * An answer that took its time: a place, to be taken or declined, or which gateway has begun the
 * session already.
 */
export type StartDecision = { take: TakePlace; decline(): void } | { elsewhere: number };
