import { plainText, sentenceColumns } from '../../plain-text.ts';
import { wireErrors } from '../../protocol/codes.ts';
import type { ReferenceEcho, ServerMessage } from '../../protocol/server-messages.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import { type Limits, wireName } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { ServerContext } from './context.ts';
import type { SessionAudio } from './session-audio.ts';

type Message<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>;

export function readyMessage(of: {
  context: ServerContext;
  session: { id: string; resumeToken: string };
  audio: SessionAudio;
  resumed: boolean;
}): Message<'ready'> {
  const { model, provider } = of.context.engine;
  const { limits } = of.context;
  const { epoch, nextSeq } = of.audio.checkpoint();
  const { id, reference } = of.audio.current();
  const writer = of.audio.transcription;
  return {
    type: 'ready',
    session_id: of.session.id,
    resume_token: of.session.resumeToken,
    resume_ttl_ms: limits.resumeTtlMs,
    next_seq: nextSeq,
    epoch,
    utterance_id: id,
    resumed: of.resumed,
    ...(of.context.region !== undefined && { region: of.context.region }),
    limits: {
      max_frame_bytes: limits.maxFrameBytes,
      max_session_ms: limits.maxSessionMs,
      idle_timeout_ms: limits.idleTimeoutMs,
      max_buffered_ms: limits.maxBufferedMs,
    },
    model: {
      name: model.name,
      version: model.version,
      provider,
      lookahead_ms: model.lookaheadMs,
      phones: model.phones,
    },
    reference: echoReference(reference),
    ...(writer && { backend: writer.backend }),
    ...(writer?.scoresPhones === false && { scores_phones: false }),
  };
}

/** @param isDurable whether another gateway can go on with the session */
export function ackMessage(audio: SessionAudio, isDurable: boolean): Message<'ack'> {
  const { epoch, nextSeq, missing } = audio.checkpoint();
  const buffered_ms = Math.round(audio.bufferedMs());
  const ack = { type: 'ack', epoch, next_seq: nextSeq, missing: missing.slice(0, shownRanges), buffered_ms } as const;
  const first = isDurable ? audio.places.first : undefined;
  if (!first) return ack;
  return { ...ack, keep_from: first.seq, ...(first.epoch !== epoch && { keep_epoch: first.epoch }) };
}

/** A sentence may quote what the client sent: however much that was, it gets a line of it back. */
export function errorMessage({ code, message, retryAfterMs }: Refusal): Message<'error'> {
  const { retryable } = wireErrors[code];
  const sentence = plainText(message, sentenceColumns);
  return {
    type: 'error',
    code,
    message: sentence,
    retryable,
    retry_after_ms: retryable ? (retryAfterMs ?? null) : null,
  };
}

/** Ranges in one acknowledgement; later ones are reported when these are filled. */
const shownRanges = 32;

function echoReference(reference: Reference): ReferenceEcho {
  return {
    words: reference.words.map(({ text, variants, source }) => ({ text, phones: variants[0] ?? [], source })),
  };
}

/** Why a client is cut off whose socket holds so many bytes, for so long; undefined: it reads. */
export function slowReader(limits: Limits, unsentBytes: number, congestedForMs: number): Refusal | undefined {
  const isFull = unsentBytes > limits.maxUnsentBytes;
  if (!isFull && congestedForMs <= limits.slowReaderMs) return undefined;
  const limit = isFull ? 'maxUnsentBytes' : 'slowReaderMs';
  return { code: 'slow_reader', message: `events are not read as fast as they come (${wireName(limit)})`, limit };
}
