import { randomUUID } from 'node:crypto';
import { keyAfter, type Vendor, type VendorRequest } from './emulator.ts';
import type { Line } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';

/**
 * OpenAI's realtime API in a transcription session: base64 PCM of 24 kHz in JSON, deltas of an item while it is heard.
 * Written from platform.openai.com (Realtime transcription; client and server events) and the types of `openai` 6.49. A
 * session without turn detection is committed by the client, one with `server_vad` by a pause.
 */
export const openaiRealtime: Vendor = {
  path: '/v1/realtime',
  habits: { emitMs: 200, lagMs: 100, endpointMs: undefined },
  keyOf: openaiKey,
  subprotocol: (offered) => offered.find((name) => name === 'realtime'),
  refusal: openaiRefusal,
  open: (line) => new OpenaiWire(line),
};

const keyProtocol = 'openai-insecure-api-key.';

/** `Authorization: Bearer KEY`, or the subprotocols `realtime, openai-insecure-api-key.KEY` of a browser. */
export function openaiKey(request: VendorRequest): string | undefined {
  const browser = request.offered.find((name) => name.startsWith(keyProtocol))?.slice(keyProtocol.length);
  return keyAfter(/^bearer$/i, request) ?? browser;
}

function openaiRefusal(status: number) {
  const [code, message] = sentences[status] ?? ['server_error', 'The server had an error.'];
  return { status, body: { error: { message, type: 'invalid_request_error', param: null, code } } };
}

const sentences: Record<number, readonly [code: string, message: string]> = {
  401: ['invalid_api_key', 'Incorrect API key provided.'],
  404: ['invalid_url', 'Invalid URL.'],
  429: ['rate_limit_exceeded', 'Rate limit reached. Please try again later.'],
  503: ['server_overloaded', 'The engine is currently overloaded, please try again later.'],
};

type SessionWish = {
  type?: string;
  audio?: {
    input?: {
      format?: { type?: string; rate?: number };
      transcription?: { model?: string; language?: string; prompt?: string };
      turn_detection?: { type?: string; silence_duration_ms?: number } | null;
    };
  };
};
type ClientEvent = { type: string; event_id?: string; audio?: string; session?: SessionWish };

class OpenaiWire {
  readonly #line: Line;
  readonly #session = { id: `sess_${randomUUID()}`, object: 'realtime.transcription_session', type: 'transcription' };
  readonly #recogniser: Recogniser;
  #input: NonNullable<NonNullable<SessionWish['audio']>['input']> = { turn_detection: { type: 'server_vad' } };
  #itemId = newItem();
  #lastItemId: string | null = null;
  #shown = '';

  constructor(line: Line) {
    this.#line = line;
    this.#recogniser = this.#listen();
    this.#say('session.created', { session: { ...this.#session, audio: { input: this.#input } } });
  }

  text(text: string): void {
    const event = JSON.parse(text) as ClientEvent;
    switch (event.type) {
      case 'session.update':
        this.#update(event);
        break;
      case 'input_audio_buffer.append':
        this.#line.sound(Buffer.from(event.audio ?? '', 'base64'));
        break;
      case 'input_audio_buffer.commit':
        this.#commit(event);
        break;
      case 'input_audio_buffer.clear':
        this.#recogniser.clear();
        this.#say('input_audio_buffer.cleared', {});
        break;
      default:
        this.#error(event, 'invalid_value', `Invalid value: '${event.type}'.`, 'type');
    }
  }

  binary(): void {
    this.#error({ type: 'binary' }, 'invalid_event', 'Events are JSON in text messages.', null);
  }

  fail(): void {
    const error = { type: 'server_error', code: 'server_error', message: 'The server had an error.', param: null };
    this.#say('error', { error });
    this.#line.close(1011, 'internal error');
  }

  #update(event: ClientEvent): void {
    const { session = {} } = event;
    if (session.type !== 'transcription') {
      this.#error(event, 'invalid_value', `Invalid value: '${session.type}'.`, 'session.type');
      return;
    }
    const { format } = session.audio?.input ?? {};
    if (format && format.rate !== 24_000) {
      const message = `Invalid value: '${format.rate}'. Supported values are: 24000.`;
      this.#error(event, 'invalid_value', message, 'session.audio.input.format.rate');
      return;
    }
    this.#input = { ...this.#input, ...session.audio?.input };
    this.#recogniser.endAfter(this.#pauseMs());
    this.#say('session.updated', { session: { ...this.#session, audio: { input: this.#input } } });
  }

  #listen(): Recogniser {
    return this.#line.recogniser({
      rateHz: 24_000,
      endpointMs: this.#pauseMs(),
      onSaid: (said) => this.#said(said),
      onSpeech: (state, atMs) => {
        if (!this.#input.turn_detection) return;
        const item_id = this.#itemId;
        if (state === 'began') this.#say('input_audio_buffer.speech_started', { audio_start_ms: atMs, item_id });
        else this.#say('input_audio_buffer.speech_stopped', { audio_end_ms: atMs, item_id });
      },
    });
  }

  #pauseMs(): number | undefined {
    const { turn_detection } = this.#input;
    return turn_detection ? (turn_detection.silence_duration_ms ?? 500) : undefined;
  }

  #commit(event: ClientEvent): void {
    const { pendingMs } = this.#recogniser;
    if (pendingMs < 100) {
      const message = `Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has ${pendingMs.toFixed(2)}ms of audio.`;
      this.#error(event, 'input_audio_buffer_commit_empty', message, null);
      return;
    }
    this.#recogniser.finish('asked');
  }

  #said(said: Said): void {
    const item_id = this.#itemId;
    const transcript = said.words.map(({ text }) => text).join(' ');
    const delta = transcript.slice(this.#shown.length);
    this.#shown = transcript;
    const common = { item_id, content_index: 0 };
    if (said.is === 'partial') {
      if (delta !== '') this.#answer(said, 'conversation.item.input_audio_transcription.delta', { ...common, delta });
      return;
    }
    this.#say('input_audio_buffer.committed', { item_id, previous_item_id: this.#lastItemId });
    if (delta !== '') this.#say('conversation.item.input_audio_transcription.delta', { ...common, delta });
    const usage = { type: 'duration', seconds: (said.coversMs - said.startMs) / 1000 };
    this.#answer(said, 'conversation.item.input_audio_transcription.completed', { ...common, transcript, usage });
    this.#lastItemId = item_id;
    this.#itemId = newItem();
    this.#shown = '';
  }

  #error(event: ClientEvent, code: string, message: string, param: string | null): void {
    const event_id = event.event_id ?? null;
    this.#say('error', { error: { type: 'invalid_request_error', code, message, param, event_id } });
  }

  #say(type: string, fields: object): void {
    this.#line.say(stamped(type, fields));
  }

  #answer(said: Said, type: string, fields: object): void {
    this.#line.answer(said, stamped(type, fields));
  }
}

function stamped(type: string, fields: object): object {
  return { type, event_id: `event_${randomUUID()}`, ...fields };
}

function newItem(): string {
  return `item_${randomUUID()}`;
}
