import type { PhonemeResult } from './result.ts';
import type { ServerEvent, TranscriptWord } from './server-messages.ts';
import { stages } from './stages.ts';

/** Bounds of what a client believes; more stand in server-schema.ts. */
export const most = {
  ms: 1e9,
  uint32: 2 ** 32,
  /** Phones of the longest reference: 500 words of 40. */
  phones: 20_000,
  /** Numbers and abbreviations are read as several words. */
  words: 8192,
  /** Candidates of one phone. */
  best: 64,
  labelCharacters: 64,
  textCharacters: 20_000,
} as const;

/**
 * Whether an event of the kinds that come several times a second is as the schema has it; false
 * where the schema has to be asked. These checks take a hundredth of its time.
 */
export function isAsExpected(event: { type: string }): boolean {
  if (event.type === 'ack') return isAck(event);
  if (event.type === 'transcript') return isTranscript(event);
  return false;
}

/** The same of feedback that a scanner has read: lists are lists, numbers numbers. */
export function isFeedback(event: Extract<ServerEvent, { type: 'phoneme_feedback' }>): boolean {
  const { event_id, audio_ms, utterance_id, rev, phonemes, timing: of } = event;
  if (!isWhole(event_id) || !isMs(audio_ms) || !isWhole(rev) || !isUint32(utterance_id)) return false;
  if (!(isMs(of.ingress) && isMs(of.queue) && isMs(of.features) && isMs(of.asr) && isMs(of.scoring) && isMs(of.emit)))
    return false;
  if (of.window !== undefined && !isMs(of.window)) return false;
  return isListOf(phonemes, most.phones, isPhone);
}

function isAck(event: Unchecked<Extract<ServerEvent, { type: 'ack' }>>): boolean {
  const { event_id, audio_ms, epoch, next_seq, missing, buffered_ms, keep_from, keep_epoch } = event;
  if (!isWhole(event_id) || !isMs(audio_ms) || !isUint32(epoch) || !isUint32(next_seq) || !isMs(buffered_ms))
    return false;
  if (keep_from !== undefined && !isUint32(keep_from)) return false;
  if (keep_epoch !== undefined && !isUint32(keep_epoch)) return false;
  return isListOf(missing, 0, () => false);
}

function isTranscript(event: Unchecked<Extract<ServerEvent, { type: 'transcript' }>>): boolean {
  const { event_id, audio_ms, utterance_id, rev, text, is_final, stability, words, deviations, timing, backend } =
    event;
  if (!isWhole(event_id) || !isMs(audio_ms) || !isWhole(rev) || !isUint32(utterance_id)) return false;
  if (!isText(text, most.textCharacters) || typeof is_final !== 'boolean' || !isWithin(stability, 0, 1)) return false;
  if (!isListOf(words, most.words, isWord) || !isListOf(deviations, 0, () => false)) return false;
  if (backend !== undefined && !isText(backend, most.labelCharacters)) return false;
  if (typeof timing !== 'object' || timing === null || Array.isArray(timing)) return false;
  const given = timing as Record<string, unknown>;
  for (const stage of stages) if (stage in given && !isMs(given[stage])) return false;
  return true;
}

function isWord(word: Unchecked<TranscriptWord>): boolean {
  if (!isPlace(word.word_index) || !isText(word.text, most.textCharacters)) return false;
  return isMs(word.start_ms) && isMs(word.end_ms) && typeof word.is_final === 'boolean';
}

function isPhone(phone: Unchecked<PhonemeResult>): boolean {
  if (!isPlace(phone.index) || !isPlace(phone.word_index) || !isText(phone.phoneme, most.labelCharacters)) return false;
  if (!isMs(phone.start_ms) || !isMs(phone.end_ms) || !isWithin(phone.confidence, 0, 1)) return false;
  if (phone.gop !== null && !isWithin(phone.gop, -1e6, 1e6)) return false;
  if (phone.accuracy !== null && !isWithin(phone.accuracy, 0, 100)) return false;
  if (phone.status !== 'provisional' && phone.status !== 'final') return false;
  return errorTypes.has(phone.error_type) && isListOf(phone.nbest, most.best, isCandidate);
}

function isCandidate(one: Unchecked<PhonemeResult['nbest'][number]>): boolean {
  return isText(one.phoneme, most.labelCharacters) && isWithin(one.score, 0, 1);
}

/** A value whose fields may be anything, or missing. */
type Unchecked<Value> = Partial<Record<keyof Value, unknown>>;

const errorTypes: ReadonlySet<unknown> = new Set(['none', 'substitution', 'omission', 'insertion', 'unscored']);

function isListOf<Item extends object>(list: unknown, longest: number, isItem: (item: Item) => boolean): boolean {
  if (!Array.isArray(list) || list.length > longest) return false;
  for (let i = 0; i < list.length; i++) {
    const item: unknown = list[i];
    if (typeof item !== 'object' || item === null || !isItem(item as Item)) return false;
  }
  return true;
}

function isText(value: unknown, longest: number): boolean {
  return typeof value === 'string' && value.length <= longest;
}

function isWithin(value: unknown, from: number, to: number): boolean {
  return typeof value === 'number' && value >= from && value <= to;
}

function isMs(value: unknown): boolean {
  return isWithin(value, 0, most.ms);
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isUint32(value: unknown): boolean {
  return Number.isInteger(value) && isWithin(value, 0, most.uint32);
}

function isPlace(value: unknown): boolean {
  return Number.isInteger(value) && isWithin(value, -1, most.phones);
}
