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
  const marks: number[] = [];
  written = 0;
  beyondAscii = 0;
  for (const phone of phones) {
    if (written > 0) put(comma);
    putPhone(phone, startMs);
    marks.push(phone.index, phone.status === 'final' ? 1 : 0, written - beyondAscii);
  }
  return { text: page.toString(beyondAscii > 0 ? 'utf8' : 'latin1', 0, written), marks };
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
 * Where phones are written: bytes that are known beforehand, and digits. As strings that are put
 * together, the same takes four times as long and leaves a kilobyte of garbage a phone.
 */
let page = Buffer.allocUnsafeSlow(4096);
let written = 0;
/** Bytes of `page` beyond one for each UTF-16 code unit. */
let beyondAscii = 0;

/** The same as JSON.stringify would write: keys and their order are known. */
function putPhone(phone: PhonemeResult, startMs: number): void {
  put(keys.index);
  putNumber(phone.index);
  put(keys.word_index);
  putNumber(phone.word_index);
  put(keys.phoneme);
  putQuoted(phone.phoneme);
  put(keys.start_ms);
  putNumber(phone.start_ms + startMs);
  put(keys.end_ms);
  putNumber(phone.end_ms + startMs);
  put(keys.status);
  putQuoted(phone.status);
  put(keys.gop);
  putNumber(phone.gop);
  put(keys.accuracy);
  putNumber(phone.accuracy);
  put(keys.confidence);
  putNumber(phone.confidence);
  put(keys.error_type);
  putQuoted(phone.error_type);
  put(keys.nbest);
  for (let at = 0; at < phone.nbest.length; at++) {
    const { phoneme, score } = phone.nbest[at]!;
    put(at === 0 ? keys.likely : keys.likelyToo);
    putQuoted(phoneme);
    put(keys.score);
    putNumber(score);
    put(keys.likelyEnd);
  }
  put(keys.end);
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const comma = bytesOf(',');
const keys = {
  index: bytesOf('{"index":'),
  word_index: bytesOf(',"word_index":'),
  phoneme: bytesOf(',"phoneme":'),
  start_ms: bytesOf(',"start_ms":'),
  end_ms: bytesOf(',"end_ms":'),
  status: bytesOf(',"status":'),
  gop: bytesOf(',"gop":'),
  accuracy: bytesOf(',"accuracy":'),
  confidence: bytesOf(',"confidence":'),
  error_type: bytesOf(',"error_type":'),
  nbest: bytesOf(`,${nbestKey}[`),
  likely: bytesOf('{"phoneme":'),
  likelyToo: bytesOf(',{"phoneme":'),
  score: bytesOf(',"score":'),
  likelyEnd: bytesOf('}'),
  end: bytesOf(']}'),
};
const nothing = bytesOf('null');

function put(bytes: Uint8Array): void {
  let at = reserve(bytes.length);
  for (let i = 0; i < bytes.length; i++) page[at++] = bytes[i]!;
}

/** Makes room for so many bytes and counts them as written; returns where they begin. */
function reserve(bytes: number): number {
  const at = written;
  written += bytes;
  if (written > page.length) {
    const larger = Buffer.allocUnsafeSlow(2 * written);
    larger.set(page.subarray(0, at));
    page = larger;
  }
  return at;
}

/** What JSON has for a number. */
function putNumber(value: number | null): void {
  if (value === null || !Number.isFinite(value)) {
    put(nothing);
    return;
  }
  if ((value | 0) === value) {
    putWhole(value);
    return;
  }
  // Scores have four decimals at most. No two numbers with so few digits are the same double: where
  // this one is a whole number of steps, these are the digits that JSON has.
  const steps = Math.round(value * decimalSteps);
  if (Math.abs(steps) > mostSteps || steps / decimalSteps !== value) {
    put(bytesOf(String(value)));
    return;
  }
  if (steps < 0) page[reserve(1)] = minus;
  const whole = Math.trunc(Math.abs(steps) / decimalSteps);
  putWhole(whole);
  putDecimals(Math.abs(steps) - whole * decimalSteps);
}

/** A 32-bit number. */
function putWhole(value: number): void {
  let left = value;
  if (value < 0) {
    page[reserve(1)] = minus;
    left = -value;
  }
  let digits = 1;
  for (let next = 10; next <= left; next *= 10) digits++;
  const begin = reserve(digits);
  for (let at = begin + digits - 1; at >= begin; at--) {
    const tens = Math.floor(left / 10);
    page[at] = zero + left - 10 * tens;
    left = tens;
  }
}

/** `steps` of 1 / `decimalSteps`, 1 or more, without zeros at the end. */
function putDecimals(steps: number): void {
  page[reserve(1)] = point;
  let left = steps;
  for (let unit = decimalSteps / 10; left > 0; unit /= 10) {
    const digit = Math.floor(left / unit);
    page[reserve(1)] = zero + digit;
    left -= digit * unit;
  }
}

const decimalSteps = 10_000;
const mostSteps = 2 ** 31;
const [minus, point, zero] = [0x2d, 0x2e, 0x30];

/** Names as JSON, and how many of their bytes stand for no UTF-16 code unit of their own. */
type Quoted = { bytes: Uint8Array; beyondAscii: number };
/** Phones of alphabets and kinds of results: some dozens a model. */
const quotes = new Map<string, Quoted>();

function putQuoted(name: string): void {
  let quoted = quotes.get(name);
  if (quoted === undefined) {
    const text = JSON.stringify(name);
    const bytes = bytesOf(text);
    quoted = { bytes, beyondAscii: bytes.length - text.length };
    quotes.set(name, quoted);
  }
  put(quoted.bytes);
  beyondAscii += quoted.beyondAscii;
}
