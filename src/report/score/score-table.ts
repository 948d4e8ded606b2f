import type { Deviation, PhonemeResult, UtteranceResult, WhatWasHeard, WordResult } from '../../protocol/result.ts';
import type { Paint } from '../terminal/paint.ts';

/**
 * The result of one reading for people: a line a word with its phones, wrong ones marked with `!`
 * and what they sounded like, then the deviations and the utterance's scores. Colour only repeats
 * what the text says.
 */
export function renderScore(title: string, result: UtteranceResult, paint: Paint): string {
  const width = Math.max(4, ...result.words.map((word) => word.text.length));
  const lines = [
    paint.bold(title),
    '',
    paint.dim(`${'word'.padEnd(width)}  score  from-to s     phones`),
    ...result.words.map((word) => wordLine(word, width, paint)),
    '',
    ...result.deviations.map((deviation) => paint.warn(describe(deviation, result.words))),
    ...(result.heard === 'text' ? [] : [paint.warn(unread[result.heard])]),
    scoreLine(result, paint),
    paint.dim(paceLine(result)),
  ];
  return `${lines.join('\n')}\n`;
}

/** Why there is no accuracy. */
export const unread = {
  other_sounds: 'nothing of the text was heard: no accuracy',
  nothing: 'nobody speaks: no accuracy',
  lost: 'the audio was lost: no accuracy',
} as const satisfies Record<Exclude<WhatWasHeard, 'text'>, string>;

type Style = keyof Paint;

function wordLine(word: WordResult, width: number, paint: Paint): string {
  const name = paint[shade(word.accuracy, word.error_type !== 'none')](word.text.padEnd(width));
  const time = `${seconds(word.start_ms)}-${seconds(word.end_ms)}`.padEnd(12);
  const { reading } = word.pronunciation;
  const read = reading === undefined ? '' : paint.dim(`  (read as "${reading}")`);
  const guessed = word.pronunciation.source === 'letter_to_sound' ? paint.dim('  (sounded out)') : '';
  const phones = word.phonemes.map((phone) => phoneText(phone, paint)).join('  ');
  return `${name}  ${score(word.accuracy).padStart(5)}  ${time}  ${phones}${guessed}${read}`;
}

function phoneText(phone: PhonemeResult, paint: Paint): string {
  const shown = phone.accuracy === null ? phone.phoneme : `${phone.phoneme} ${score(phone.accuracy)}`;
  switch (phone.error_type) {
    case 'none':
      return paint[shade(phone.accuracy, false)](shown);
    case 'unscored':
      return paint.dim(`${phone.phoneme} ?`);
    case 'omission':
      return paint.bad(`!${shown} (left out)`);
    default: {
      const heard = phone.nbest.find((guess) => guess.phoneme !== phone.phoneme);
      return paint.bad(`!${shown}${heard ? ` (like ${heard.phoneme})` : ''}`);
    }
  }
}

function shade(accuracy: number | null, wrong: boolean): Style {
  if (accuracy === null) return 'dim';
  if (wrong) return 'bad';
  return accuracy >= 75 ? 'good' : 'warn';
}

function describe(deviation: Deviation, words: readonly WordResult[]): string {
  const { kind, first_word, last_word, start_ms, end_ms, phonemes = [] } = deviation;
  const range = words.slice(first_word, last_word + 1).map((word) => word.text);
  const quoted = `"${range.join(' ')}"`;
  switch (kind) {
    case 'skipped':
      return `skipped ${quoted} at ${seconds(start_ms)} s`;
    case 'repeated':
      return `went back to ${quoted} at ${seconds(start_ms)} s`;
    case 'other_words':
    case 'inserted': {
      const at = kind === 'inserted' ? 'in or before' : 'before';
      const place = first_word < words.length ? `${at} "${words[first_word]!.text}"` : 'after the last word';
      const heard = phonemes.map(({ phoneme }) => phoneme).join(' ');
      const what = kind === 'inserted' ? 'extra sounds' : 'other words';
      return `${what} ${place}, ${seconds(start_ms)}-${seconds(end_ms)} s${heard === '' ? '' : `: ${heard}`}`;
    }
  }
}

function scoreLine({ scores }: UtteranceResult, paint: Paint): string {
  const names = ['pronunciation', 'accuracy', 'fluency', 'completeness'] as const;
  return names.map((name) => `${name} ${paint.bold(score(scores[name]))}`).join('   ');
}

function paceLine({ pace, final_lag_ms }: UtteranceResult): string {
  const rate = pace.words_per_minute === null ? 'nothing read' : `${pace.words_per_minute.toFixed(0)} words a minute`;
  const pauses = `${pace.pauses} pauses (${seconds(pace.pause_ms)} s)`;
  const lag = final_lag_ms.p95;
  const live = lag === null ? '' : `, live a phone is final ${lag.toFixed(0)} ms after its end (p95)`;
  return `${rate}, ${pauses}${live}`;
}

function score(value: number | null): string {
  return value === null ? '-' : value.toFixed(0);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}
