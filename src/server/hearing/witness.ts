import type { Samples } from '../../acoustic/engine/types.ts';
import type { RouteDecision } from '../../routing/decide/decide.ts';
import type { LocalModel } from './local-model.ts';
import type { PhoneScores } from './phone-scores.ts';
import type { RoutedSession } from './routed-session.ts';

/** A session as it was decided where it is heard. */
export type WitnessedRoute = {
  readonly session: RoutedSession;
  readonly variant: RouteDecision['variant'];
  /** The backend that the draw gave, which may have been hindered; undefined: as `backend`. */
  readonly meant: string | undefined;
  readonly backend: { readonly name: string };
  /** What scores it; undefined: the server's own model. */
  readonly model?: LocalModel | undefined;
};

/**
 * Takes note of what is written of sessions. Nothing that it does reaches a learner, and it throws
 * nothing.
 */
export type Witness = {
  /** A session begins to be written; undefined: it is of no interest. */
  session(route: WitnessedRoute, sampleRateHz: number): SessionWitness | undefined;
};

export type SessionWitness = {
  /** An utterance begins, with the text that is to be read. */
  begin(reference: string): UtteranceWitness;
  /** Sound of the utterance that began last; it is read before the call returns. */
  push(samples: Samples, startMs: number): void;
  /** The session is over here. */
  close(): void;
};

export type UtteranceWitness = {
  /** Its sound is over. */
  over(): void;
  /**
   * What its learner is told at last, and by which backend; undefined: no final text came.
   *
   * @param phones what the model that scores it made of them
   */
  told(text: string | undefined, backend: string, phones?: PhoneScores): void;
};
