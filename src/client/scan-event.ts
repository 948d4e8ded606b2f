import type { PhonemeResult } from '../protocol/result.ts';
import type { ServerEvent, TranscriptWord } from '../protocol/server-messages.ts';
import type { StageTimings } from '../protocol/stages.ts';
import { literal, Scanner } from './json-scanner.ts';

type Event<Type extends ServerEvent['type']> = Extract<ServerEvent, { type: Type }>;
/** What comes several times a second, and is nineteen twentieths of what a server says. */
type FrequentEvent = Event<'phoneme_feedback' | 'ack' | 'transcript'>;

/**
 * Whether the session goes on all the same until the event that the scanner begins with is read.
 * What a server writes with its keys in another order than `speechfb serve`, or with blanks
 * between, is read at once.
 */
export function isDeferrable(scanner: Scanner): boolean {
  scanner.number(eventId);
  scanner.number(audioMs);
  return scanner.has(feedbackType) || scanner.has(ackType) || scanner.has(transcriptType);
}

/**
 * An event of those that are frequent with its keys in the order in which `speechfb serve` writes
 * them, and no blanks between; its lists are lists and its numbers numbers, and the rest is to be
 * checked. Undefined for anything else, which JSON.parse reads as well. A byte is looked at once,
 * labels and words need no new memory: a hundred sessions say more than a megabyte a second.
 */
export function scanEvent(bytes: Uint8Array, begin: number, end: number): FrequentEvent | undefined {
  scanner.begin(bytes, begin, end);
  const event_id = scanner.number(eventId);
  const audio_ms = scanner.number(audioMs);
  let event: FrequentEvent | undefined;
  if (scanner.has(feedbackType)) event = feedback(event_id, audio_ms);
  else if (scanner.has(ackType)) event = ack(event_id, audio_ms);
  else if (scanner.has(transcriptType)) event = transcript(event_id, audio_ms);
  return scanner.over ? event : undefined;
}

function feedback(event_id: number, audio_ms: number): FrequentEvent {
  const utterance_id = scanner.number(utteranceId);
  const rev = scanner.number(revision);
  scanner.expect(phonesBegin);
  const phonemes = list(phone) ?? noPhones;
  const timing = stageTimings();
  scanner.expect(closing);
  return { event_id, audio_ms, type: 'phoneme_feedback', utterance_id, rev, phonemes, timing };
}

function ack(event_id: number, audio_ms: number): FrequentEvent {
  const epoch = scanner.number(epochBegins);
  const next_seq = scanner.number(nextSeq);
  const buffered_ms = scanner.number(bufferedMs);
  const keep_from = scanner.has(keepFrom) ? scanner.number(nothing) : undefined;
  scanner.expect(closing);
  const event: Event<'ack'> = { event_id, audio_ms, type: 'ack', epoch, next_seq, missing: none, buffered_ms };
  return keep_from === undefined ? event : { ...event, keep_from };
}

/** A transcript without deviations. */
function transcript(event_id: number, audio_ms: number): FrequentEvent {
  const utterance_id = scanner.number(utteranceId);
  const rev = scanner.number(revision);
  const text = scanner.text(textBegins);
  scanner.expect(wordsBegin);
  const words = list(word) ?? noWords;
  const is_final = flag(isFinal);
  const stability = scanner.number(stabilityBegins);
  scanner.expect(noDeviations);
  const timing = stageTimings();
  scanner.expect(closing);
  const type = 'transcript';
  return { event_id, audio_ms, type, utterance_id, rev, text, words, is_final, stability, deviations: none, timing };
}

/** What stands up to the bracket, which is passed; undefined when nothing does. */
function list<Item>(read: () => Item): Item[] | undefined {
  if (scanner.has(listEnd)) return undefined;
  const items: Item[] = [];
  do items.push(read());
  while (scanner.has(comma));
  scanner.expect(listEnd);
  return items;
}

function phone(): PhonemeResult {
  const index = scanner.number(phoneIndex);
  const word_index = scanner.number(phoneWord);
  const phoneme = scanner.text(phoneLabel);
  const start_ms = scanner.number(startMs);
  const end_ms = scanner.number(endMs);
  const status = scanner.text(statusBegins) as PhonemeResult['status'];
  const gop = scanner.numberOrNull(gopBegins);
  const accuracy = scanner.numberOrNull(accuracyBegins);
  const confidence = scanner.number(confidenceBegins);
  const error_type = scanner.text(errorType) as PhonemeResult['error_type'];
  scanner.expect(nbestBegins);
  const nbest = list(candidate) ?? none;
  scanner.expect(closing);
  return {
    index,
    word_index,
    phoneme,
    start_ms,
    end_ms,
    status,
    gop,
    accuracy,
    confidence,
    error_type,
    nbest,
  };
}

function candidate(): PhonemeResult['nbest'][number] {
  const phoneme = scanner.text(candidateLabel);
  const score = scanner.number(scoreBegins);
  scanner.expect(closing);
  return { phoneme, score };
}

function word(): TranscriptWord {
  const word_index = scanner.number(wordIndex);
  const text = scanner.text(textBegins);
  const start_ms = scanner.number(startMs);
  const end_ms = scanner.number(endMs);
  const is_final = flag(isFinal);
  scanner.expect(closing);
  return { word_index, text, start_ms, end_ms, is_final };
}

function flag(before: ReturnType<typeof literal>): boolean {
  scanner.expect(before);
  if (scanner.has(isTrue)) return true;
  scanner.expect(isFalse);
  return false;
}

/**
 * All of the server's stages; that one is missing is rare, but for `window`, which servers did not
 * tell at first.
 */
function stageTimings(): StageTimings {
  scanner.expect(timingBegins);
  const window = scanner.has(windowMs) ? scanner.number(nothing) : undefined;
  if (window !== undefined) scanner.expect(comma);
  const ingress = scanner.number(ingressMs);
  const queue = scanner.number(queueMs);
  const features = scanner.number(featuresMs);
  const asr = scanner.number(asrMs);
  const scoring = scanner.number(scoringMs);
  const emit = scanner.number(emitMs);
  scanner.expect(closing);
  const rest = { ingress, queue, features, asr, scoring, emit };
  return window === undefined ? rest : { window, ...rest };
}

const scanner = new Scanner();
const none: readonly never[] = [];
const noPhones: readonly PhonemeResult[] = none;
const noWords: readonly TranscriptWord[] = none;
const eventId = literal('{"event_id":');
const audioMs = literal(',"audio_ms":');
const feedbackType = literal(',"type":"phoneme_feedback"');
const ackType = literal(',"type":"ack"');
const transcriptType = literal(',"type":"transcript"');
const utteranceId = literal(',"utterance_id":');
const revision = literal(',"rev":');
const phonesBegin = literal(',"phonemes":[');
const phoneIndex = literal('{"index":');
const phoneWord = literal(',"word_index":');
const phoneLabel = literal(',"phoneme":"');
const startMs = literal(',"start_ms":');
const endMs = literal(',"end_ms":');
const statusBegins = literal(',"status":"');
const gopBegins = literal(',"gop":');
const accuracyBegins = literal(',"accuracy":');
const confidenceBegins = literal(',"confidence":');
const errorType = literal(',"error_type":"');
const nbestBegins = literal(',"nbest":[');
const candidateLabel = literal('{"phoneme":"');
const scoreBegins = literal(',"score":');
const epochBegins = literal(',"epoch":');
const nextSeq = literal(',"next_seq":');
const bufferedMs = literal(',"missing":[],"buffered_ms":');
const keepFrom = literal(',"keep_from":');
const textBegins = literal(',"text":"');
const wordsBegin = literal(',"words":[');
const wordIndex = literal('{"word_index":');
const isFinal = literal(',"is_final":');
const isTrue = literal('true');
const isFalse = literal('false');
const stabilityBegins = literal(',"stability":');
const noDeviations = literal(',"deviations":[]');
const timingBegins = literal(',"timing":{');
const windowMs = literal('"window":');
const nothing = literal('');
const comma = literal(',');
const ingressMs = literal('"ingress":');
const queueMs = literal(',"queue":');
const featuresMs = literal(',"features":');
const asrMs = literal(',"asr":');
const scoringMs = literal(',"scoring":');
const emitMs = literal(',"emit":');
const closing = literal('}');
const listEnd = literal(']');
