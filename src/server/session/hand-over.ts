import type { HandingSession, Handoff } from '../../handoff/handoff.ts';
import type { HandedUtterance } from '../../handoff/record.ts';
import { UtteranceSound } from '../../handoff/utterance-sound.ts';
import type { SessionTrace } from '../../telemetry/tracing/tracing.ts';
import { hashOf } from '../secrets.ts';
import type { ServerContext } from './context.ts';
import type { FinalMessage } from './utterance.ts';

/** An utterance that may have to be scored later. */
export type Unfinished = {
  readonly id: number;
  /** The span that it is; undefined: nobody traces it. */
  readonly traceparent: string | undefined;
  handed(): HandedUtterance | 'too long' | undefined;
};

/** What of a session is handed over when it cannot be finished live. */
export class HandOver {
  readonly #handoff: Handoff;
  readonly #session: HandingSession;
  readonly #trace: Pick<SessionTrace, 'utteranceHanded'> | undefined;
  /** Finals that its client may not have read, by the event that they were. */
  #unread: { eventId: number; final: FinalMessage & { audio_ms: number } }[] = [];

  constructor(handoff: Handoff, session: HandingSession, trace?: Pick<SessionTrace, 'utteranceHanded'>) {
    this.#handoff = handoff;
    this.#trace = trace;
    this.#session = session;
  }

  newSound(): UtteranceSound {
    return new UtteranceSound(this.#handoff.maxSoundBytes);
  }

  /** @param audioMs how far on the session's clock it reaches */
  finalSent(final: FinalMessage, eventId: number, audioMs: number): void {
    this.#unread.push({ eventId, final: { ...final, audio_ms: audioMs } });
    if (this.#unread.length > mostUnread) this.#unread.shift();
  }

  /** The client has read everything up to this event. */
  confirmed(eventId: number): void {
    if (this.#unread.length > 0) this.#unread = this.#unread.filter((one) => one.eventId > eventId);
  }

  /**
   * Nobody can finish these here: they are scored later, and their finals are events behind the
   * last.
   *
   * @returns the ids of those that are.
   */
  unfinished(utterances: readonly Unfinished[], lastEventId: number): number[] {
    const ids: number[] = [];
    for (const utterance of utterances) {
      const handed = utterance.handed();
      if (handed === 'too long') this.#handoff.tooLong(this.#session, utterance.id);
      else if (handed) {
        ids.push(utterance.id);
        const eventId = lastEventId + lastWords + ids.length;
        const { id: utteranceId, traceparent } = utterance;
        this.#handoff.hand(this.#session, { utteranceId, eventId, traceparent }, handed);
        this.#trace?.utteranceHanded(utteranceId);
      }
    }
    return ids;
  }

  /** The client does not come back: it may ask for what it has not read. */
  gone(utterances: readonly Unfinished[], lastEventId: number): void {
    this.unfinished(utterances, lastEventId);
    for (const { eventId, final } of this.#unread.splice(0)) {
      this.#handoff.keep(this.#session, { utteranceId: final.utterance_id, eventId }, final);
    }
  }
}

/** What hands over of a session; undefined: the server does not. */
export function handOverOf(
  context: ServerContext,
  { id, resumeToken, owner }: { id: string; resumeToken: string; owner: string | undefined },
  trace: SessionTrace | undefined,
): HandOver | undefined {
  const { handoff, engine } = context;
  const { name, version } = engine.model;
  const holder = { tokenHash: hashOf(resumeToken), owner: owner && hashOf(owner) };
  return handoff && new HandOver(handoff, { sessionId: id, ...holder, model: `${name} ${version}` }, trace);
}

/** The events that may still end a session when its utterances are handed over: info and error. */
const lastWords = 2;
/** The result of a text is some 20 kB. */
const mostUnread = 64;
