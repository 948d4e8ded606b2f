import { isFeedback } from '../protocol/quick-checks.ts';
import type { PhonemeResult } from '../protocol/result.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import { type EventProblem, readServerEvent } from '../protocol/server-schema.ts';
import type { StageTimings } from '../protocol/stages.ts';
import { literal, Scanner } from './json-scanner.ts';

type FeedbackEvent = Extract<ServerEvent, { type: 'phoneme_feedback' }>;

/**
 * The server event in the text that lies from `begin` to `end`, checked field by field, or what is
 * wrong with it.
 */
export function parseEvent(bytes: Buffer, begin: number, end: number): ServerEvent | EventProblem {
  const feedback = scanFeedback(bytes, begin, end);
  if (feedback && isFeedback(feedback)) return feedback;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8', begin, end));
  } catch {
    const text = bytes.toString('utf8', begin, Math.min(end, begin + mostBytesShown));
    return { kind: 'no JSON', problem: `the message is not JSON: ${JSON.stringify(text)}` };
  }
  return readServerEvent(value);
}

/** Enough of a message to know what it is. */
const mostBytesShown = 80;

/**
 * Whether the session goes on all the same until the event that the scanner begins with is read.
 * What a server writes with its keys in another order than `speechfb serve`, or with blanks
 * between, is read at once.
 */
export function isDeferrable(scanner: Scanner): boolean {
  scanner.number(eventId);
  scanner.number(audioMs);
  return scanner.has(feedbackType) || scanner.has(ackType);
}

/**
 * A `phoneme_feedback` with its keys in the order in which `speechfb serve` writes them, and no
 * blanks between; undefined for anything else, which JSON.parse reads as well. Nine tenths of what
 * a server says are such events, and most of each is the frame around its phones; those themselves
 * JSON.parse reads here too.
 */
export function scanFeedback(bytes: Uint8Array, begin: number, end: number): FeedbackEvent | undefined {
  scanner.begin(bytes, begin, end);
  const event_id = scanner.number(eventId);
  const audio_ms = scanner.number(audioMs);
  scanner.expect(feedbackType);
  const utterance_id = scanner.number(utteranceId);
  const rev = scanner.number(revision);
  const phonemes = scanPhones();
  const timing = scanTiming();
  scanner.expect(closing);
  if (!scanner.over || !phonemes) return undefined;
  return { event_id, audio_ms, type: 'phoneme_feedback', utterance_id, rev, phonemes, timing };
}

function scanPhones(): readonly PhonemeResult[] | undefined {
  if (scanner.has(noPhones)) return none;
  scanner.expect(phones);
  // No string of JSON holds this: its quotes would be escaped.
  const list = scanner.upTo(',"timing":{');
  if (!list) return undefined;
  const text = Buffer.from(list.buffer, list.byteOffset, list.byteLength).toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * All of the server's stages; that one is missing is rare, but for `window`, which servers did not
 * tell at first.
 */
function scanTiming(): StageTimings {
  const window = scanner.has(windowMs) ? scanner.number(nothing) : undefined;
  if (window !== undefined) scanner.expect(comma);
  const ingress = scanner.number(ingressMs);
  const queue = scanner.number(queueMs);
  const features = scanner.number(featuresMs);
  const asr = scanner.number(asrMs);
  const scoring = scanner.number(scoringMs);
  const emit = scanner.number(emitMs);
  const rest = { ingress, queue, features, asr, scoring, emit };
  return window === undefined ? rest : { window, ...rest };
}

const scanner = new Scanner();
const none: readonly PhonemeResult[] = [];
const eventId = literal('{"event_id":');
const audioMs = literal(',"audio_ms":');
const feedbackType = literal(',"type":"phoneme_feedback"');
const ackType = literal(',"type":"ack"');
const utteranceId = literal(',"utterance_id":');
const revision = literal(',"rev":');
const noPhones = literal(',"phonemes":[],"timing":{');
const phones = literal(',"phonemes":');
const windowMs = literal('"window":');
const nothing = literal('');
const comma = literal(',');
const ingressMs = literal('"ingress":');
const queueMs = literal(',"queue":');
const featuresMs = literal(',"features":');
const asrMs = literal(',"asr":');
const scoringMs = literal(',"scoring":');
const emitMs = literal(',"emit":');
const closing = literal('}}');
