import { writeCheckpoint } from '../../stores/checkpoint.ts';
import type { SavedSession } from '../../stores/session-store.ts';
import type { KeptSession } from '../durable/kept-session.ts';
import { hashOf } from '../secrets.ts';
import type { ServerContext } from './context.ts';
import type { Outbox } from './outbox.ts';
import type { SessionAudio } from './session-audio.ts';
import type { SessionSettings } from './utterance.ts';

/** The parts of a session that its checkpoint is made of. */
export type SavedParts = {
  context: ServerContext;
  session: Pick<KeptSession, 'id' | 'generation' | 'owner' | 'resumeToken' | 'startedWith'>;
  startedMs: number;
  settings: Readonly<SessionSettings>;
  audio: SessionAudio;
  outbox: Outbox;
};

/** A session as another gateway would need it, without sound and without what was said of it. */
export function savedSession(
  { context, session, startedMs, settings, audio, outbox }: SavedParts,
  { gateway, ordinal }: { gateway: string; ordinal: number },
): SavedSession {
  const { reference: _text, idempotency_key: _key, return_ticket: _ticket, ...start } = session.startedWith;
  const nowMs = context.now();
  const { firstFrameMs } = audio;
  const value = writeCheckpoint({
    start,
    lastEventId: outbox.lastEventId,
    startedAgoMs: nowMs - startedMs,
    firstFrameAgoMs: firstFrameMs === undefined ? undefined : nowMs - firstFrameMs,
    emitIntervalMs: settings.emitIntervalMs,
    granularity: settings.granularity,
    utterances: audio.places.all(),
    backend: audio.transcription?.backend,
  });
  return {
    sessionId: session.id,
    generation: session.generation,
    ordinal,
    tokenHash: hashOf(session.resumeToken),
    owner: session.owner && hashOf(session.owner),
    model: modelOf(context),
    gateway,
    value,
  };
}

/** What a session is scored by: no other model can go on with it. */
export function modelOf({ engine }: Pick<ServerContext, 'engine'>): string {
  return `${engine.model.name} ${engine.model.version}`;
}
