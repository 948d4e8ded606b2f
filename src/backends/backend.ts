import type { BackendKind } from '../routing/policy/capabilities.ts';

/**
 * What writes transcripts: the own model, or a recogniser that is reached over a network. It is
 * shared by all sessions, and speaks in events: it throws nothing whatever it meets.
 */
export type Backend = {
  /** As the routing policy names it; for messages to people, metrics and the bill. */
  readonly name: string;
  /** What it can do follows from it: `canDo` of routing/policy/capabilities.ts. */
  readonly kind: BackendKind;
  /** Begins to hear a session. */
  open(input: HearingInput, on: HearingEvents): Hearing;
  /** Ends all of its hearings, without further events; resolves in bounded time. */
  close(): Promise<void>;
};

/** What one hearing is for. */
export type HearingInput = {
  /** A name that no other hearing of the backend has at the time. */
  session: string;
  /** BCP 47, as `en-US`. */
  language: string;
  /** Samples a second of the sound that will be pushed. */
  sampleRateHz: number;
  /** What the learner reads first, where that is known. */
  reference?: string | undefined;
  /**
   * How long after the end of an utterance its final is still of use, ms; whatever waits longer
   * gives up and says so.
   */
  deadlineMs?: number | undefined;
};

/**
 * One session at one backend, from the place of the session's clock at which it begins: utterances
 * are counted from 0. It takes sound at once; what its backend is not ready for waits, within
 * bounds. After its error or its `close` all calls do nothing.
 */
export type Hearing = {
  /**
   * Sound, mono: whole numbers of 16 bits, or samples in [-1, 1). It is read or copied before the
   * call returns. `startMs`: where it begins on the session's clock; what lies between it and the
   * sound before was not heard.
   */
  push(pcm: Int16Array | Float32Array, startMs: number): void;
  /** The utterance's sound is over: its final is due. Without effect when it is over already. */
  utteranceOver(): void;
  /** The next utterance begins, which ends the one before. */
  next(reference?: string): void;
  /** Ends it at once; no event follows. */
  close(): void;
};

/** What a hearing tells, in order, and never within a call of `open`, or of the hearing. */
export type HearingEvents = {
  /** The backend hears: once, and before any text. */
  onReady(): void;
  onText(text: HearingText): void;
  /** It cannot go on: the last event. */
  onError(error: BackendError): void;
};

/** The text of an utterance as far as it is written. */
export type HearingText = {
  /** From 0, by `next`. */
  utterance: number;
  /** All of the utterance so far. */
  text: string;
  /** How much of `text`, from its beginning, will not change any more, in characters. */
  settled: number;
  /** The last of its utterance; each utterance that was ended gets exactly one. */
  isFinal: boolean;
  words?: readonly HearingWord[] | undefined;
  /** Accuracies of the phones of a final, 0-100, by place; only models of ours have them. */
  phones?: ReadonlyMap<string, number> | undefined;
  /** How far into the session's sound it reaches, ms of its clock. */
  coversMs?: number | undefined;
  /** What the backend says of its own time, ms, by names of its own. */
  stagesMs?: Readonly<Record<string, number>> | undefined;
};

export type HearingWord = {
  text: string;
  /** On the session's clock. */
  endMs?: number | undefined;
  isFinal: boolean;
};

/**
 * Why a hearing cannot go on: it is asked too often (`rate`), it will not be paid (`budget`), it
 * does not know us (`auth`), or anything else (`fault`).
 */
export const errorClasses = ['rate', 'budget', 'auth', 'fault'] as const;
export type ErrorClass = (typeof errorClasses)[number];

export type BackendError = {
  class: ErrorClass;
  /** A sentence for operators, without secrets and without what was said. */
  message: string;
  /** How long the backend asks to be left alone, ms. */
  retryAfterMs?: number | undefined;
};
