import { z } from 'zod';
import { isNot, plainSentence } from '../config/sentences.ts';
import { cutWords } from '../cut-words.ts';
import type { WireErrorCode } from './codes.ts';
import { isAsExpected, most } from './quick-checks.ts';
import type { Deviation, InsertedPhone, PhonemeResult, WordResult } from './result.ts';
import {
  backpressureLevels,
  goAwayReasons,
  infoCodes,
  type ServerEvent,
  type TranscriptWord,
} from './server-messages.ts';
import { stages } from './stages.ts';

/**
 * What a client believes of what a server says: the types of server-messages.ts with a bound for
 * everything, so that no message takes more than its bytes. Keys that are not known are passed
 * over, as a newer server may send them. Lists end at their first problem.
 */
const ms = z.number().min(0).max(most.ms);
const count = z.int().min(0);
const seq = z
  .int()
  .min(0)
  .max(2 ** 32);
const percent = z.number().min(0).max(100).nullable();
const share = z.number().min(0).max(1);
const place = z.int().min(-1).max(most.phones);
const label = z.string().max(most.labelCharacters);
const words = z.string().max(most.textCharacters);
const errorType = z.enum(['none', 'substitution', 'omission', 'insertion', 'unscored']);
const source = z.enum(['dictionary', 'letter_to_sound', 'given']);
/** A sentence for people: the rest of one that is too long is no loss. */
const sentence = z.string().transform((text) => cutWords(text, 500));

const timing = z.object(
  Object.fromEntries(stages.map((stage) => [stage, ms.exactOptional()])) as Record<
    (typeof stages)[number],
    z.ZodExactOptional<typeof ms>
  >,
);

const phoneme: z.ZodType<PhonemeResult> = z.object({
  index: place,
  word_index: place,
  phoneme: label,
  start_ms: ms,
  end_ms: ms,
  gop: z.number().min(-1e6).max(1e6).nullable(),
  accuracy: percent,
  confidence: share,
  error_type: errorType,
  status: z.enum(['provisional', 'final']),
  nbest: list(z.object({ phoneme: label, score: share }), most.best),
});

const insertedPhone: z.ZodType<InsertedPhone> = z.object({
  phoneme: label,
  start_ms: ms,
  end_ms: ms,
  confidence: share,
  error_type: z.literal('insertion'),
});

const deviation: z.ZodType<Deviation> = z.object({
  kind: z.enum(['skipped', 'repeated', 'other_words', 'inserted']),
  first_word: place,
  last_word: place,
  start_ms: ms,
  end_ms: ms,
  phonemes: list(insertedPhone, most.phonesOfADeviation).exactOptional(),
});

const transcriptWord: z.ZodType<TranscriptWord> = z.object({
  word_index: place,
  text: words,
  start_ms: ms,
  end_ms: ms,
  is_final: z.boolean(),
});

const wordResult: z.ZodType<WordResult> = z.object({
  text: words,
  start_ms: ms,
  end_ms: ms,
  accuracy: percent,
  error_type: errorType,
  pronunciation: z.object({ source, variant: count, reading: words.exactOptional() }),
  phonemes: list(phoneme, most.phonesOfAWord),
});

const head = { event_id: count, audio_ms: ms };
const utterance = {
  utterance_id: z
    .int()
    .min(0)
    .max(2 ** 32),
  timing,
};

const readyEvent = z.object({
  ...head,
  type: z.literal('ready'),
  session_id: z.string().min(1).max(most.sessionCharacters),
  resume_token: z.string().min(1).max(most.tokenCharacters),
  resume_ttl_ms: ms,
  next_seq: seq,
  epoch: seq,
  utterance_id: utterance.utterance_id,
  resumed: z.boolean(),
  region: label.exactOptional(),
  limits: z.object({ max_frame_bytes: count, max_session_ms: count, idle_timeout_ms: count, max_buffered_ms: count }),
  model: z.object({
    name: z.string().max(most.nameCharacters),
    version: z.string().max(most.nameCharacters),
    provider: z.string().max(most.nameCharacters),
    lookahead_ms: ms,
    phones: list(label, most.phonesOfAModel),
  }),
  reference: z.object({
    words: list(z.object({ text: words, phones: list(label, most.phonesOfAWord), source }), most.words),
  }),
  backend: label.exactOptional(),
  scores_phones: z.literal(false).exactOptional(),
});

const finalEvent = z.object({
  ...head,
  ...utterance,
  type: z.literal('utterance_final'),
  reason: z.enum(['finalize', 'next_utterance', 'close', 'drain', 'timeout']),
  marker: z.string().max(most.markerCharacters).nullable(),
  late: z.literal(true).exactOptional(),
  text: words.exactOptional(),
  backend: label.exactOptional(),
  heard: z.enum(['text', 'other_sounds', 'nothing', 'lost']),
  scores: z.object({ accuracy: percent, fluency: percent, completeness: percent, pronunciation: percent }),
  words: list(wordResult, most.words),
  deviations: list(deviation, most.deviations),
  pace: z.object({
    words_per_minute: z.number().min(0).max(1e6).nullable(),
    speech_ms: ms,
    pause_ms: ms,
    longest_pause_ms: ms,
    pauses: count,
  }),
  final_lag_ms: z.object({ p50: lag(), p95: lag(), max: lag() }),
});

const events = [
  readyEvent,
  z.object({
    ...head,
    type: z.literal('ack'),
    epoch: seq,
    next_seq: seq,
    missing: list(z.tuple([seq, seq]), 65_536),
    buffered_ms: ms,
    keep_from: seq.exactOptional(),
    keep_epoch: seq.exactOptional(),
  }),
  z.object({
    ...head,
    type: z.literal('moving'),
    resume_at: z.string().min(1).max(2048).nullable(),
    token: z.string().min(1).max(256).nullable(),
  }),
  z.object({ ...head, type: z.literal('speech'), state: z.enum(['began', 'ended']), at_ms: ms }),
  z.object({
    ...head,
    ...utterance,
    type: z.literal('transcript'),
    rev: count,
    text: words,
    words: list(transcriptWord, most.words),
    is_final: z.boolean(),
    stability: share,
    deviations: list(deviation, most.deviations),
    backend: label.exactOptional(),
  }),
  z.object({
    ...head,
    ...utterance,
    type: z.literal('phoneme_feedback'),
    rev: count,
    phonemes: list(phoneme, most.phones),
  }),
  finalEvent,
  z.object({
    ...head,
    type: z.literal('backpressure'),
    level: z.enum(backpressureLevels),
    buffered_bytes: count,
    dropped: z.object({ feedback: count, transcript: count }),
  }),
  z.object({
    ...head,
    type: z.literal('info'),
    code: z.enum(infoCodes),
    message: sentence,
    frames: count.exactOptional(),
  }),
  z.object({
    ...head,
    type: z.literal('go_away'),
    deadline_ms: ms,
    reason: z.enum(goAwayReasons).default('shutdown'),
    retry_after_ms: ms.nullable().default(null),
    return_ticket: z.string().min(1).max(64).nullable().default(null),
  }),
  z.object({
    ...head,
    type: z.literal('error'),
    code: z.custom<WireErrorCode>((code) => typeof code === 'string' && /^[a-z0-9_]{1,64}$/.test(code), {
      error: ({ input }) => isNot(bounded(input, 2), 'the name of an error, such as server_busy'),
    }),
    message: sentence,
    retryable: z.boolean(),
    retry_after_ms: ms.nullable(),
  }),
] as const;

export const serverEvent: z.ZodType<ServerEvent> = z.discriminatedUnion('type', events);
const types: readonly string[] = events.map(({ shape }) => shape.type.value);

/**
 * A message that is no event: `kind` names what is wrong without what was given, `problem` with it.
 */
export type EventProblem = { kind: string; problem: string };

/**
 * The event in a JSON value, without what is not known of it; or one sentence: the message's type,
 * the field, the value (cut), and what is allowed.
 */
export function readServerEvent(value: unknown): ServerEvent | EventProblem {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { kind: 'no JSON object', problem: `the message is no JSON object: ${JSON.stringify(bounded(value, 1))}` };
  const type = 'type' in value ? value.type : undefined;
  if (typeof type !== 'string' || !types.includes(type)) {
    const problem = plain({ code: 'invalid_value', values: [...types], input: type });
    return { kind: 'type', problem: `type: ${problem}` };
  }
  if (isAsExpected(value as { type: string })) return value as ServerEvent;
  const parsed = serverEvent.safeParse(value, { error: plain });
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const field = path.map((key) => (typeof key === 'number' ? '*' : String(key))).join('.');
  return { kind: `${type}: ${field}`, problem: `${type}: ${path.join('.')}: ${message}` };
}

function lag() {
  return z.number().min(-1e9).max(1e9).nullable();
}

/**
 * A list of at most `most` items that ends at its first problem: zod would make an issue for each
 * of a million.
 */
function list<Item>(item: z.ZodType<Item>, most: number) {
  return z
    .custom<readonly unknown[]>((value) => Array.isArray(value) && value.length <= most, {
      error: ({ input }) => listProblem(input, most),
    })
    .transform((values, context): Item[] => {
      const items: Item[] = [];
      for (const [index, value] of values.entries()) {
        const parsed = item.safeParse(value, { error: plain });
        if (parsed.success) {
          items.push(parsed.data);
          continue;
        }
        const { path, message } = parsed.error.issues[0]!;
        context.addIssue({ code: 'custom', message, path: [index, ...path], input: null });
        return z.NEVER;
      }
      return items;
    });
}

function listProblem(input: unknown, most: number): string {
  if (Array.isArray(input)) return `has ${input.length} entries; allowed: at most ${most}`;
  return plain({ code: 'invalid_type', expected: 'array', input });
}

/** As plainSentence has it, of a value of any size and depth. */
function plain(issue: z.core.$ZodRawIssue): string {
  const byLength = issue.code === 'too_big' || issue.code === 'too_small';
  return plainSentence(byLength ? issue : ({ ...issue, input: bounded(issue.input, 2) } as z.core.$ZodRawIssue));
}

/** The beginning of a value, whatever its size: what a sentence may show. */
function bounded(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.slice(0, 100);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return Array.isArray(value) ? [] : {};
  if (Array.isArray(value)) return value.slice(0, 3).map((item) => bounded(item, depth - 1));
  const fields: [string, unknown][] = [];
  for (const key in value) {
    fields.push([key.slice(0, 40), bounded((value as Record<string, unknown>)[key], depth - 1)]);
    if (fields.length === 3) break;
  }
  return Object.fromEntries(fields);
}
