import { randomUUID } from 'node:crypto';
import type { WireErrorCode } from '../../protocol/codes.ts';
import type { SessionSocket } from '../session/session-options.ts';
import { BareSound } from './bare-sound.ts';
import { type EventOf, headOf, pronunciationOf } from './events.ts';
import { defaultSettings, type OpenaiProblem, type OpenaiSettings, shownSession, updated } from './openai-session.ts';
import { foreignStart } from './start.ts';
import type { Meant, Wire } from './wire.ts';
import { textsOf, wordsWritten } from './written-words.ts';

/**
 * A client of OpenAI's transcription session. The first `session.update` that has a prompt starts
 * the session; an item is one utterance, ended by a commit or, with `server_vad`, by a pause.
 * Deltas say words when they can no longer change, since nothing takes a delta back. A mistake of
 * the client is told and forgiven, as there; what ends the session is told and closes.
 */
export class OpenaiWire implements Wire {
  readonly #id = `sess_${randomUUID()}`;
  readonly #items = new Map<number, Item>();
  #socket: SessionSocket | undefined;
  #act: (meant: readonly Meant[]) => void = () => {};
  #settings: OpenaiSettings = defaultSettings;
  #frames: BareSound | undefined;
  #utterance = 1;
  #isOpen = true;
  /** The text of the utterance that is open. */
  #prompt: string | undefined;
  #model = 'speechfb';
  #lastItemId: string | null = null;
  #silentFromMs: number | undefined;
  #failure: WireErrorCode | undefined;

  attach(socket: SessionSocket, act: (meant: readonly Meant[]) => void): SessionSocket {
    this.#socket = socket;
    this.#act = act;
    return {
      write: (text) => this.#event(text),
      unsentBytes: () => socket.unsentBytes(),
      close: (code, reason) => socket.close(this.#failure ? (closings[this.#failure] ?? 1011) : code, reason),
    };
  }

  open(): readonly Meant[] {
    this.#say('session.created', { session: shownSession(this.#id, this.#settings, this.#model) });
    return [];
  }

  isSound(data: Buffer): boolean {
    return data.includes(appendType);
  }

  hear(data: Buffer, isBinary: boolean): readonly Meant[] {
    const event = isBinary ? undefined : readEvent(data.toString('utf8'));
    if (!event) {
      this.#problem({ code: 'invalid_event', message: 'Events are JSON objects in text messages.', param: null });
      return [];
    }
    switch (event.type) {
      case 'session.update':
        return this.#update(event);
      case appendType:
        return this.#append(event);
      case 'input_audio_buffer.commit':
        return this.#commit(event);
      case 'input_audio_buffer.clear':
        return this.#clear();
      default: {
        const message = `Invalid value: ${shown(event.type)}. Events here are session.update, input_audio_buffer.append, .commit and .clear.`;
        this.#problem({ code: 'invalid_value', message, param: 'type' }, event);
        return [];
      }
    }
  }

  #update(event: ClientEvent): readonly Meant[] {
    const settings = updated(this.#settings, event);
    const problem = 'code' in settings ? settings : this.#unfit(settings);
    if (problem) {
      this.#problem(problem, event);
      return [];
    }
    this.#settings = settings as OpenaiSettings;
    if (!this.#frames) return this.#start();
    this.#say('session.updated', { session: shownSession(this.#id, this.#settings, this.#model) });
    // A text that nothing was read of yet is replaced; another one has its turn first.
    const isUnread = this.#isOpen && !this.#items.has(this.#utterance);
    return isUnread && this.#prompt !== this.#settings.prompt ? this.#next() : [];
  }

  #unfit({ prompt, rateHz }: OpenaiSettings): OpenaiProblem | undefined {
    if (prompt === undefined) return { code: 'missing_required_parameter', message: needsPrompt, param: promptParam };
    if (!this.#frames || rateHz === this.#settings.rateHz) return undefined;
    const message = 'The rate cannot be changed once there is a session.';
    return { code: 'invalid_value', message, param: 'session.audio.input.format.rate' };
  }

  #start(): readonly Meant[] {
    const { rateHz, language } = this.#settings;
    this.#frames = new BareSound(rateHz);
    const start = { rateHz, language, reference: this.#reference(), granularity: 'word' } as const;
    return [{ message: foreignStart(start) }];
  }

  #append(event: ClientEvent): readonly Meant[] {
    if (!this.#frames) {
      this.#problem({ code: 'missing_required_parameter', message: needsPrompt, param: promptParam }, event);
      return [];
    }
    const bytes = typeof event.audio === 'string' ? Buffer.from(event.audio, 'base64') : undefined;
    if (!bytes || bytes.length === 0) {
      this.#problem({ code: 'invalid_value', message: 'audio is no base64 of samples.', param: 'audio' }, event);
      return [];
    }
    const next = this.#isOpen ? [] : this.#next();
    if (!this.#items.has(this.#utterance)) this.#items.set(this.#utterance, newItem(this.#frames.ms));
    const frame = this.#frames.frame(bytes);
    return frame ? [...next, { frame }] : next;
  }

  #commit(event: ClientEvent): readonly Meant[] {
    const pendingMs = this.#pendingMs();
    if (pendingMs < leastCommitMs) {
      const message = `The buffer is too small to commit: it has ${pendingMs.toFixed(2)} ms of sound, at least ${leastCommitMs} ms are needed.`;
      this.#problem({ code: 'input_audio_buffer_commit_empty', message, param: null }, event);
      return [];
    }
    return this.#finish();
  }

  /** Ends the item: what is final of it is told later. */
  #finish(): readonly Meant[] {
    const item = this.#items.get(this.#utterance);
    if (!this.#isOpen || !item) return [];
    item.seconds = this.#pendingMs() / 1000;
    this.#isOpen = false;
    this.#silentFromMs = undefined;
    const { id: item_id } = item;
    this.#say('input_audio_buffer.committed', { item_id, previous_item_id: this.#lastItemId });
    const content = [{ type: 'input_audio', transcript: null }];
    const added = { id: item_id, object: 'realtime.item', type: 'message', status: 'completed', role: 'user', content };
    this.#say('conversation.item.added', { previous_item_id: this.#lastItemId, item: added });
    this.#lastItemId = item_id;
    return [{ message: { type: 'finalize' } }];
  }

  #clear(): readonly Meant[] {
    const hasSound = this.#items.delete(this.#utterance) && this.#isOpen;
    this.#silentFromMs = undefined;
    this.#say('input_audio_buffer.cleared', {});
    return hasSound ? this.#next() : [];
  }

  #next(): Meant[] {
    this.#isOpen = true;
    this.#utterance += 1;
    return [{ message: { type: 'next_utterance', reference: this.#reference() } }];
  }

  #reference(): { text: string } {
    this.#prompt = this.#settings.prompt;
    return { text: this.#prompt! };
  }

  #pendingMs(): number {
    const item = this.#isOpen ? this.#items.get(this.#utterance) : undefined;
    return item && this.#frames ? this.#frames.ms - item.startMs : 0;
  }

  /** An event of the session. */
  #event(text: string): void {
    switch (headOf(text).type) {
      case 'ready':
        this.#ready(JSON.parse(text));
        break;
      case 'transcript':
        this.#transcript(JSON.parse(text));
        break;
      case 'utterance_final':
        this.#final(JSON.parse(text));
        break;
      case 'speech':
        this.#speech(JSON.parse(text));
        break;
      case 'error':
        this.#error(JSON.parse(text));
        break;
      case 'ack':
        this.#watchPause();
        break;
    }
  }

  #ready({ model }: EventOf<'ready'>): void {
    this.#model = model.name;
    this.#say('session.updated', { session: shownSession(this.#id, this.#settings, this.#model) });
  }

  #transcript(transcript: EventOf<'transcript'>): void {
    // The last one of an utterance stands before its final, which has all of it.
    if (transcript.is_final) return;
    const words = wordsWritten(transcript);
    const unsettled = words.findIndex((word) => !word.is_final);
    const settled = words.slice(0, unsettled < 0 ? undefined : unsettled);
    this.#deltas(
      this.#items.get(transcript.utterance_id),
      settled.map(({ text }) => text),
    );
  }

  #final(final: EventOf<'utterance_final'>): void {
    const item = this.#items.get(final.utterance_id);
    this.#items.delete(final.utterance_id);
    // Nothing was said of it, or it was cleared.
    if (!item) return;
    const words = textsOf(final);
    this.#deltas(item, words);
    const seconds = item.seconds ?? (this.#frames!.ms - item.startMs) / 1000;
    this.#say('conversation.item.input_audio_transcription.completed', {
      item_id: item.id,
      content_index: 0,
      transcript: words.join(' '),
      usage: { type: 'duration', seconds },
      pronunciation: pronunciationOf(final),
      backend: final.backend,
    });
  }

  /** Says the words of an item that have not been said yet. */
  #deltas(item: Item | undefined, words: readonly string[]): void {
    if (!item || words.length <= item.told) return;
    const delta = `${item.told === 0 ? '' : ' '}${words.slice(item.told).join(' ')}`;
    item.told = words.length;
    const where = { item_id: item.id, content_index: 0 };
    this.#say('conversation.item.input_audio_transcription.delta', { ...where, delta });
  }

  #speech({ state, at_ms }: EventOf<'speech'>): void {
    const item = this.#items.get(this.#utterance);
    if (this.#settings.silenceMs === undefined || !item || !this.#isOpen) return;
    this.#silentFromMs = state === 'ended' ? at_ms : undefined;
    if (state === 'ended' || item.hasBegun) return;
    item.hasBegun = true;
    this.#say('input_audio_buffer.speech_started', { audio_start_ms: Math.round(at_ms), item_id: item.id });
  }

  /** Ends the turn when the pause is long enough. */
  #watchPause(): void {
    const { silenceMs } = this.#settings;
    const silentFromMs = this.#silentFromMs;
    const item = this.#items.get(this.#utterance);
    if (silenceMs === undefined || silentFromMs === undefined || !item || !this.#frames) return;
    if (this.#frames.ms < silentFromMs + silenceMs) return;
    this.#silentFromMs = undefined;
    this.#say('input_audio_buffer.speech_stopped', { audio_end_ms: Math.round(silentFromMs), item_id: item.id });
    queueMicrotask(() => this.#act(this.#finish()));
  }

  #error({ code, message, retry_after_ms }: EventOf<'error'>): void {
    this.#failure = code;
    const type = code === 'rate_limited' ? 'rate_limit_error' : serverFaults.has(code) ? 'server_error' : badRequest;
    const error = { type, code: codes[code] ?? code, message, param: null, event_id: null, retry_after_ms };
    this.#say('error', { error });
  }

  #problem({ code, message, param }: OpenaiProblem, event?: ClientEvent): void {
    const event_id = typeof event?.event_id === 'string' ? event.event_id.slice(0, 200) : null;
    this.#say('error', { error: { type: badRequest, code, message, param, event_id } });
  }

  #say(type: string, fields: object): void {
    this.#socket?.write(JSON.stringify({ type, event_id: `event_${randomUUID()}`, ...fields }));
  }
}

/** One utterance, as clients know it. */
type Item = { id: string; startMs: number; told: number; hasBegun: boolean; seconds?: number };

function newItem(startMs: number): Item {
  return { id: `item_${randomUUID()}`, startMs, told: 0, hasBegun: false };
}

const appendType = 'input_audio_buffer.append';
const leastCommitMs = 100;
const badRequest = 'invalid_request_error';
const promptParam = 'session.audio.input.transcription.prompt';
const needsPrompt = `This server hears how a known text is read: session.update carries it as ${promptParam}.`;
const serverFaults = new Set<WireErrorCode>(['server_busy', 'internal', 'inference_timeout', 'slow_reader']);
const codes: Partial<Record<WireErrorCode, string>> = {
  rate_limited: 'rate_limit_exceeded',
  server_busy: 'server_overloaded',
  session_too_long: 'session_expired',
};
/** What ended a session, as close codes of RFC 6455; what is not here is the server's fault. */
const closings: Partial<Record<WireErrorCode, number>> = {
  server_busy: 1013,
  slow_reader: 1013,
  rate_limited: 1008,
  too_fast: 1008,
  too_large: 1009,
  invalid_message: 1008,
  invalid_frame: 1008,
  invalid_reference: 1008,
  unsupported_audio: 1008,
  idle_timeout: 1001,
  session_too_long: 1001,
};

type ClientEvent = { type?: unknown; event_id?: unknown; audio?: unknown };

function readEvent(text: string): ClientEvent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 80);
}
