import type { PhonemeResult } from './result.ts';

/**
 * Phones as `phoneme_feedback` carries them: written once, by whoever scored them, so that no
 * thread behind takes them apart and puts them together again. Whoever passes them on learns from
 * the marks all that it has to know.
 */
export type WrittenPhones = {
  /** The JSON of each phone, a comma between two. */
  text: string;
  /** Three numbers a phone: its index, 1 when it is final, and where its JSON ends in `text`. */
  marks: readonly number[];
};

/** One phone of those that are written. */
export type WrittenPhone = { index: number; isFinal: boolean; text: string };

/** @param startMs added to their times: where their utterance begins on its session's clock. */
export function writePhones(phones: readonly PhonemeResult[], startMs = 0): WrittenPhones {
  let text = '';
  const marks: number[] = [];
  for (const phone of phones) {
    text += text === '' ? phoneText(phone, startMs) : `,${phoneText(phone, startMs)}`;
    marks.push(phone.index, phone.status === 'final' ? 1 : 0, text.length);
  }
  return { text, marks };
}

/** Each of the phones with its own JSON, in order. */
export function eachPhone({ text, marks }: WrittenPhones): WrittenPhone[] {
  const phones: WrittenPhone[] = [];
  let begin = 0;
  for (let at = 0; at < marks.length; at += marksAPhone) {
    const end = marks[at + 2]!;
    phones.push({ index: marks[at]!, isFinal: marks[at + 1] === 1, text: text.slice(begin, end) });
    begin = end + 1;
  }
  return phones;
}

/** The phones as one again. */
export function joinPhones(phones: readonly WrittenPhone[]): WrittenPhones {
  const marks: number[] = [];
  let end = -1;
  for (const phone of phones) {
    end += 1 + phone.text.length;
    marks.push(phone.index, phone.isFinal ? 1 : 0, end);
  }
  return { text: phones.map((phone) => phone.text).join(','), marks };
}

/** The phone without what else it may have been: `nbest` is the last thing that is written. */
export function withoutAlternatives(phone: WrittenPhone): WrittenPhone {
  return { ...phone, text: `${phone.text.slice(0, phone.text.lastIndexOf(nbestKey))}${nbestKey}[]}` };
}

const marksAPhone = 3;
const nbestKey = '"nbest":';

/**
 * The same as JSON.stringify would write, in two thirds of its time: keys and their order are
 * known.
 */
function phoneText(phone: PhonemeResult, startMs: number): string {
  let nbest = '';
  for (const { phoneme, score } of phone.nbest) {
    const one = `{"phoneme":${quoted(phoneme)},"score":${number(score)}}`;
    nbest += nbest === '' ? one : `,${one}`;
  }
  return (
    `{"index":${phone.index},"word_index":${phone.word_index},"phoneme":${quoted(phone.phoneme)},` +
    `"start_ms":${number(phone.start_ms + startMs)},"end_ms":${number(phone.end_ms + startMs)},` +
    `"status":"${phone.status}","gop":${number(phone.gop)},"accuracy":${number(phone.accuracy)},` +
    `"confidence":${number(phone.confidence)},"error_type":"${phone.error_type}",${nbestKey}[${nbest}]}`
  );
}

/** What JSON has for a number. */
function number(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : value;
}

/** Phones of alphabets as JSON: some dozens a model. */
const quotes = new Map<string, string>();

function quoted(phoneme: string): string {
  const known = quotes.get(phoneme);
  if (known !== undefined) return known;
  const text = JSON.stringify(phoneme);
  quotes.set(phoneme, text);
  return text;
}
