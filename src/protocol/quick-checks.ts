import type { Deviation, InsertedPhone, PhonemeResult, WordResult } from './result.ts';
import type { ReferenceEcho, ServerEvent, TranscriptWord } from './server-messages.ts';
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
  markerCharacters: 128,
  sessionCharacters: 64,
  tokenCharacters: 256,
  nameCharacters: 200,
  phonesOfAModel: 4096,
  deviations: 8192,
  phonesOfAWord: 1024,
  phonesOfADeviation: 4096,
} as const;

/**
 * Whether an event of the kinds that come while a learner speaks is as the schema has it; false
 * where the schema has to be asked. These checks take a hundredth of its time: finals come one
 * every few seconds, and the schema took longer for one than for all else of those seconds.
 */
export function isAsExpected(event: { type: string }): boolean {
  if (event.type === 'ack') return isAck(event);
  if (event.type === 'transcript') return isTranscript(event);
  if (event.type === 'utterance_final') return isFinal(event);
  if (event.type === 'speech') return isSpeech(event);
  if (event.type === 'ready') return isReady(event);
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
  return isTiming(timing);
}

function isTiming(timing: unknown): boolean {
  if (!isObject(timing)) return false;
  for (const stage of stages) if (stage in timing && !isMs(timing[stage])) return false;
  return true;
}

function isSpeech(event: Unchecked<Extract<ServerEvent, { type: 'speech' }>>): boolean {
  const { event_id, audio_ms, state, at_ms } = event;
  return isWhole(event_id) && isMs(audio_ms) && isMs(at_ms) && (state === 'began' || state === 'ended');
}

function isReady(event: Unchecked<ReadyEvent>): boolean {
  const { event_id, audio_ms, session_id, resume_token, resume_ttl_ms, next_seq, epoch, utterance_id } = event;
  if (!isWhole(event_id) || !isMs(audio_ms) || !isMs(resume_ttl_ms) || !isUint32(next_seq)) return false;
  if (!isUint32(epoch) || !isUint32(utterance_id) || typeof event.resumed !== 'boolean') return false;
  if (session_id === '' || !isText(session_id, most.sessionCharacters)) return false;
  if (resume_token === '' || !isText(resume_token, most.tokenCharacters)) return false;
  if (event.region !== undefined && !isText(event.region, most.labelCharacters)) return false;
  if (event.backend !== undefined && !isText(event.backend, most.labelCharacters)) return false;
  if (event.scores_phones !== undefined && event.scores_phones !== false) return false;
  return isLimits(event.limits) && isModel(event.model) && isEcho(event.reference);
}

function isLimits(limits: unknown): boolean {
  if (!isObject(limits)) return false;
  const { max_frame_bytes, max_session_ms, idle_timeout_ms, max_buffered_ms }: Unchecked<ReadyEvent['limits']> = limits;
  return isWhole(max_frame_bytes) && isWhole(max_session_ms) && isWhole(idle_timeout_ms) && isWhole(max_buffered_ms);
}

function isModel(model: unknown): boolean {
  if (!isObject(model)) return false;
  const { name, version, provider, lookahead_ms, phones } = model;
  const namedWell = [name, version, provider].every((one) => isText(one, most.nameCharacters));
  return namedWell && isMs(lookahead_ms) && areLabels(phones, most.phonesOfAModel);
}

function isEcho(reference: unknown): boolean {
  return isObject(reference) && isListOf(reference.words, most.words, isEchoedWord);
}

function isEchoedWord({ text, phones, source }: Unchecked<ReferenceEcho['words'][number]>): boolean {
  return isText(text, most.textCharacters) && areLabels(phones, most.phonesOfAWord) && sources.has(source);
}

function areLabels(list: unknown, longest: number): boolean {
  return Array.isArray(list) && list.length <= longest && list.every((one) => isText(one, most.labelCharacters));
}

function isFinal(event: Unchecked<FinalEvent>): boolean {
  const { event_id, audio_ms, utterance_id, reason, marker, heard, late, text, backend } = event;
  if (!isWhole(event_id) || !isMs(audio_ms) || !isUint32(utterance_id) || !isTiming(event.timing)) return false;
  if (!reasons.has(reason) || !heardKinds.has(heard) || (late !== undefined && late !== true)) return false;
  if (marker !== null && !isText(marker, most.markerCharacters)) return false;
  if (text !== undefined && !isText(text, most.textCharacters)) return false;
  if (backend !== undefined && !isText(backend, most.labelCharacters)) return false;
  if (!isScores(event.scores) || !isPace(event.pace) || !isLag(event.final_lag_ms)) return false;
  return isListOf(event.words, most.words, isWordResult) && isListOf(event.deviations, most.deviations, isDeviation);
}

function isScores(scores: unknown): boolean {
  if (!isObject(scores)) return false;
  const { accuracy, fluency, completeness, pronunciation }: Unchecked<FinalEvent['scores']> = scores;
  return isPercent(accuracy) && isPercent(fluency) && isPercent(completeness) && isPercent(pronunciation);
}

function isPace(pace: unknown): boolean {
  if (!isObject(pace)) return false;
  const { words_per_minute, speech_ms, pause_ms, longest_pause_ms, pauses }: Unchecked<FinalEvent['pace']> = pace;
  if (words_per_minute !== null && !isWithin(words_per_minute, 0, 1e6)) return false;
  return isMs(speech_ms) && isMs(pause_ms) && isMs(longest_pause_ms) && isWhole(pauses);
}

function isLag(lag: unknown): boolean {
  if (!isObject(lag)) return false;
  const { p50, p95, max }: Unchecked<FinalEvent['final_lag_ms']> = lag;
  const isOne = (value: unknown) => value === null || isWithin(value, -1e9, 1e9);
  return isOne(p50) && isOne(p95) && isOne(max);
}

function isWordResult(word: Unchecked<WordResult>): boolean {
  const { text, start_ms, end_ms, accuracy, error_type, pronunciation, phonemes } = word;
  if (!isText(text, most.textCharacters) || !isMs(start_ms) || !isMs(end_ms) || !isPercent(accuracy)) return false;
  if (!errorTypes.has(error_type) || !isObject(pronunciation)) return false;
  const { source, variant, reading }: Unchecked<WordResult['pronunciation']> = pronunciation;
  if (!sources.has(source) || !isWhole(variant)) return false;
  if (reading !== undefined && !isText(reading, most.textCharacters)) return false;
  return isListOf(phonemes, most.phonesOfAWord, isPhone);
}

function isDeviation(one: Unchecked<Deviation>): boolean {
  const { kind, first_word, last_word, start_ms, end_ms, phonemes } = one;
  if (!deviationKinds.has(kind) || !isPlace(first_word) || !isPlace(last_word)) return false;
  if (!isMs(start_ms) || !isMs(end_ms)) return false;
  return phonemes === undefined || isListOf(phonemes, most.phonesOfADeviation, isInsertedPhone);
}

function isInsertedPhone(phone: Unchecked<InsertedPhone>): boolean {
  if (!isText(phone.phoneme, most.labelCharacters) || !isMs(phone.start_ms) || !isMs(phone.end_ms)) return false;
  return isWithin(phone.confidence, 0, 1) && phone.error_type === 'insertion';
}

function isWord(word: Unchecked<TranscriptWord>): boolean {
  if (!isPlace(word.word_index) || !isText(word.text, most.textCharacters)) return false;
  return isMs(word.start_ms) && isMs(word.end_ms) && typeof word.is_final === 'boolean';
}

function isPhone(phone: Unchecked<PhonemeResult>): boolean {
  if (!isPlace(phone.index) || !isPlace(phone.word_index) || !isText(phone.phoneme, most.labelCharacters)) return false;
  if (!isMs(phone.start_ms) || !isMs(phone.end_ms) || !isWithin(phone.confidence, 0, 1)) return false;
  if (phone.gop !== null && !isWithin(phone.gop, -1e6, 1e6)) return false;
  if (!isPercent(phone.accuracy)) return false;
  if (phone.status !== 'provisional' && phone.status !== 'final') return false;
  return errorTypes.has(phone.error_type) && isListOf(phone.nbest, most.best, isCandidate);
}

function isCandidate(one: Unchecked<PhonemeResult['nbest'][number]>): boolean {
  return isText(one.phoneme, most.labelCharacters) && isWithin(one.score, 0, 1);
}

type ReadyEvent = Extract<ServerEvent, { type: 'ready' }>;
type FinalEvent = Extract<ServerEvent, { type: 'utterance_final' }>;

/** A value whose fields may be anything, or missing. */
type Unchecked<Value> = Partial<Record<keyof Value, unknown>>;

const errorTypes: ReadonlySet<unknown> = new Set(['none', 'substitution', 'omission', 'insertion', 'unscored']);
const reasons: ReadonlySet<unknown> = new Set(['finalize', 'next_utterance', 'close', 'drain', 'timeout']);
const heardKinds: ReadonlySet<unknown> = new Set(['text', 'other_sounds', 'nothing', 'lost']);
const sources: ReadonlySet<unknown> = new Set(['dictionary', 'letter_to_sound', 'given']);
const deviationKinds: ReadonlySet<unknown> = new Set(['skipped', 'repeated', 'other_words', 'inserted']);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

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

function isPercent(value: unknown): boolean {
  return value === null || isWithin(value, 0, 100);
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
