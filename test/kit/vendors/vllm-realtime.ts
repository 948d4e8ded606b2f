import { randomUUID } from 'node:crypto';
import type { Vendor } from './emulator.ts';
import type { Line } from './line.ts';
import { openaiKey } from './openai-realtime.ts';
import type { Recogniser, Said } from './recogniser.ts';

/**
 * vLLM's realtime API: OpenAI's path and client events, its own server events. Written from vLLM's sources
 * (vllm/entrypoints/openai/realtime: protocol.py, connection.py). The model must be named by `session.update` before a first
 * commit starts the answers; a commit with `final` ends them; sound is 16 kHz.
 */
export const vllmRealtime: Vendor = {
  path: '/v1/realtime',
  habits: { emitMs: 80, lagMs: 160, endpointMs: undefined },
  keyOf: openaiKey,
  refusal: (status) => ({ status, body: { error: { message: 'refused', type: 'Error', code: status } } }),
  open: (line) => new VllmWire(line),
};

class VllmWire {
  readonly #line: Line;
  readonly #recogniser: Recogniser;
  #hasModel = false;
  #isAnswering = false;
  #shown = '';

  constructor(line: Line) {
    this.#line = line;
    this.#recogniser = line.recogniser({ rateHz: 16_000, onSaid: (said) => this.#said(said) });
    line.say({ type: 'session.created', id: `sess-${randomUUID()}`, created: 1_764_000_000 });
  }

  text(text: string): void {
    const event = JSON.parse(text) as { type: string; model?: string; audio?: string; final?: boolean };
    switch (event.type) {
      case 'session.update':
        this.#hasModel = event.model !== undefined;
        if (!this.#hasModel) this.#error("'model'", 'processing_error');
        break;
      case 'input_audio_buffer.append':
        if (event.audio === undefined || event.audio === '') this.#error('Invalid audio data', 'invalid_audio');
        else this.#line.sound(Buffer.from(event.audio, 'base64'));
        break;
      case 'input_audio_buffer.commit':
        if (!this.#hasModel) this.#error('Model not validated.', 'model_not_validated');
        else if (event.final) this.#recogniser.finish('asked');
        else this.#isAnswering = true;
        break;
      default:
        this.#error(`Unknown event type: ${event.type}`, 'unknown_event');
    }
  }

  binary(): void {
    this.#line.close(1003, 'text only');
  }

  fail(): void {
    this.#error('the engine is dead', 'processing_error');
    this.#line.close(1011, '');
  }

  #error(error: string, code: string): void {
    this.#line.say({ type: 'error', error, code });
  }

  #said(said: Said): void {
    if (!this.#isAnswering) return;
    const text = said.words.map((word) => word.text).join(' ');
    const delta = text.slice(this.#shown.length);
    this.#shown = text;
    if (said.is === 'partial') {
      if (delta !== '') this.#line.answer(said, { type: 'transcription.delta', delta });
      return;
    }
    if (delta !== '') this.#line.say({ type: 'transcription.delta', delta });
    const usage = { prompt_tokens: 1, completion_tokens: said.words.length, total_tokens: said.words.length + 1 };
    this.#line.answer(said, { type: 'transcription.done', text, usage });
    this.#shown = '';
    this.#isAnswering = false;
  }
}
