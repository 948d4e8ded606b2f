import { z } from 'zod';
import { isRegion, regionForm } from './region.ts';

/**
 * What a client sends as text: a tagged union on `type`. Unknown keys are refused, so that a typo
 * is heard.
 */
const reference = z.union([
  z.strictObject({ text: z.string().min(1).max(4000) }),
  /** ARPAbet, stress digits allowed, grouped into words. */
  z.strictObject({
    words: z
      .array(
        z.strictObject({ text: z.string().min(1).max(100), phones: z.array(z.string().min(1).max(4)).min(1).max(40) }),
      )
      .min(1)
      .max(500),
  }),
]);

/** Sample rates that a session may have, Hz, both inside. */
export const sampleRatesHz = { least: 8000, most: 48_000 };

/** Where a busy server has less than is asked for, the first goes before the second. */
export const lanes = ['live', 'batch'] as const;
export type Lane = (typeof lanes)[number];

/** How strong devices are. */
const deviceClasses = ['low', 'mid', 'high'] as const;

const region = z.string().refine(isRegion, `is not the name of a region: ${regionForm}`);

const startMessage = z.strictObject({
  type: z.literal('start'),
  protocol: z.literal('speechfb.v1'),
  audio: z.strictObject({
    encoding: z.enum(['pcm_s16le', 'pcm_f32le']),
    sample_rate: z.number().int().min(sampleRatesHz.least).max(sampleRatesHz.most),
    channels: z.literal(1),
    frame_ms: z.number().min(10).max(100).optional(),
  }),
  language: z.string().min(2).max(20).default('en-US'),
  reference,
  granularity: z.enum(['phoneme', 'word', 'utterance']).default('phoneme'),
  emit_interval_ms: z.number().int().min(20).max(1000).default(100),
  /** How strong the device is, where the app knows it: a routing policy may look at it. */
  device: z.enum(deviceClasses).optional(),
  /** A learner waits for the result (`live`), or a program that has time (`batch`). */
  lane: z.enum(lanes).default('live'),
  /** Where the session has to be heard and kept; a server of another region refuses it. */
  region: region.optional(),
  /** The ticket of the `go_away` that this client got: a place is kept for it. */
  return_ticket: z.string().min(1).max(64).optional(),
  /**
   * The same key answers with the same session instead of a second one, until the client has read
   * `ready`, and for the resume window at most.
   */
  idempotency_key: z.string().min(16).max(128).optional(),
  /** W3C Trace Context of the client's span; one that is malformed is passed over. */
  traceparent: z.string().optional(),
});

const configMessage = z.strictObject({
  type: z.literal('config'),
  emit_interval_ms: z.number().int().min(20).max(1000).optional(),
  granularity: z.enum(['phoneme', 'word', 'utterance']).optional(),
});

/** What a client has of a session that it may have to go on with at another gateway. */
const replay = z.strictObject({
  /** The oldest utterance whose final it lacks; one beyond the last where it has them all. */
  utterance_id: z.number().int().min(1).max(0xffffffff),
  /** Where that began: the first frame that it can send again, and the sample it is due at. */
  epoch: z.number().int().min(0).max(0xffffffff),
  seq: z.number().int().min(0).max(0xffffffff),
  sample: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Where speech last began or ended, as it was told; absent: it was told nothing. */
  speech_ms: z.number().min(0).max(1e9).optional(),
  /** What it was told of each utterance whose final it lacks. */
  told: z
    .array(
      z.strictObject({
        utterance_id: z.number().int().min(1).max(0xffffffff),
        /** The highest `audio_ms` and `rev` of its feedback and transcripts. */
        audio_ms: z.number().min(0).max(1e9),
        rev: z.number().int().min(0).max(1e9),
        /** Its final phones: ranges of indices, both ends inside. */
        finals: z.array(z.tuple([z.number().int().min(0).max(20_000), z.number().int().min(0).max(20_000)])).max(4096),
        /** Whether it has its final, since that of an older one is late. */
        is_final: z.boolean().optional(),
      }),
    )
    .max(64),
});

export const clientMessage = z.discriminatedUnion('type', [
  startMessage,
  configMessage,
  z.strictObject({ type: z.literal('next_utterance'), reference }),
  z.strictObject({ type: z.literal('finalize'), marker: z.string().max(128).optional() }),
  z.strictObject({ type: z.literal('keep_alive') }),
  z.strictObject({
    type: z.literal('resume'),
    session_id: z.string().min(1).max(64),
    resume_token: z.string().min(1).max(256),
    last_event_id: z.number().int().min(0),
    /** The region that `ready` named. */
    region: region.optional(),
    replay: replay.optional(),
  }),
  z.strictObject({ type: z.literal('close'), last_seq: z.number().int().min(-1).max(0xffffffff).optional() }),
]);

export type ClientMessage = z.infer<typeof clientMessage>;
/** As a client writes it: defaults may be left out. */
export type ClientMessageInput = z.input<typeof clientMessage>;
export type StartMessage = Extract<ClientMessage, { type: 'start' }>;
/** What a client says of itself when it may go on at another gateway. */
export type Replay = NonNullable<Extract<ClientMessage, { type: 'resume' }>['replay']>;
export type ReferenceInput = StartMessage['reference'];
