import { createHash } from 'node:crypto';
import { comparedWords } from '../../scoring/text/compared-words.ts';
import type { ShadowRecord, ShadowSide } from '../../shadow/record.ts';
import { wordEdits } from '../../shadow/word-edits.ts';
import { type PhoneScores, phonesApart } from '../hearing/phone-scores.ts';
import type { RoutedSession } from '../hearing/routed-session.ts';

/** What one backend did with an utterance, its text still among it. */
export type HeardSide = {
  backend: string;
  /** Name and version of the model of ours that it is; null: it is another's. */
  model: string | null;
  /** What a model of ours made of its phones. */
  phones: PhoneScores | undefined;
  /** Its final text; undefined: none came. */
  text: string | undefined;
  /** From the end of the sound to the final text. */
  finalMs: number | undefined;
  audioMs: number;
  dollars: number;
  failed: ShadowSide['failed'];
};

export type HeardByBoth = {
  session: RoutedSession;
  utterance: number;
  reference: string;
  variant: ShadowRecord['variant'];
  canary: string | undefined;
  served: HeardSide;
  shadow: HeardSide | undefined;
};

/** An utterance in numbers: its words are compared here, and go no further. */
export function utteranceRecord(heard: HeardByBoth, at: Date): ShadowRecord {
  const { session, utterance, reference, variant, canary, served, shadow } = heard;
  const { language } = session;
  const expected = wordsOf(reference, language);
  const [one, other] = [served, shadow].map((side) => side && wordsOf(side.text ?? '', language));
  const sideOf = (side: HeardSide, words: readonly string[]): ShadowSide => ({
    backend: side.backend,
    model: side.model,
    words: words.length,
    wrong: expected.length > 0 && side.text !== undefined ? wordEdits(expected, words) : null,
    final_ms: side.finalMs === undefined ? null : Math.max(0, round(side.finalMs)),
    audio_ms: round(side.audioMs),
    dollars: Number(side.dollars.toPrecision(9)),
    failed: side.failed,
  });
  const phones = served.phones && shadow?.phones && phonesApart(served.phones, shadow.phones);
  const both = shadow !== undefined && served.text !== undefined && shadow.text !== undefined;
  return {
    v: 1,
    at: at.toISOString(),
    learner: digest(session.user === undefined ? session.id : `${session.tenant}/${session.user}`),
    session: digest(session.id),
    utterance,
    language,
    variant,
    canary: canary ?? null,
    words: expected.length > 0 ? expected.length : null,
    served: sideOf(served, one!),
    shadow: shadow ? sideOf(shadow, other!) : null,
    between: both ? wordEdits(one!, other!) : null,
    phones: phones ?? null,
  };
}

function wordsOf(text: string, language: string): string[] {
  return comparedWords(text.slice(0, mostCharacters), language);
}

/** As sessions are named to those who run a server. */
function digest(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** A backend may write anything: what lies beyond is not compared. */
const mostCharacters = 4000;
