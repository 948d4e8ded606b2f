import { randomUUID } from 'node:crypto';
import { deepgramKey, deepgramRefusal } from './deepgram.ts';
import type { Vendor, VendorRequest } from './emulator.ts';
import type { Line } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';

/**
 * Deepgram's conversational model: turns in place of segments. Written from developers.deepgram.com (Flux quickstart, state
 * machine, Force End Turn) and the types of `@deepgram/sdk` 5.13. A turn is announced once, updated each quarter of a second
 * of sound, and ended by a pause or by `ForceEndTurn`.
 */
export const deepgramFlux: Vendor = {
  path: '/v2/listen',
  habits: { emitMs: 250, lagMs: 100, endpointMs: 260 },
  keyOf: deepgramKey,
  subprotocol: (offered) => offered.find((name) => name === 'token' || name === 'bearer'),
  refusal: deepgramRefusal,
  check: ({ query }) => (query.get('model')?.startsWith('flux-') ? undefined : deepgramRefusal(400)),
  open: (line, request) => new FluxWire(line, request),
};

class FluxWire {
  readonly #line: Line;
  readonly #recogniser: Recogniser;
  readonly #requestId = randomUUID();
  #sequence = 0;
  #hasStarted = false;

  constructor(line: Line, { query }: VendorRequest) {
    this.#line = line;
    this.#recogniser = line.recogniser({
      rateHz: Number(query.get('sample_rate') ?? 16_000),
      onSaid: (said) => this.#said(said),
    });
    line.say({ type: 'Connected', request_id: this.#requestId, sequence_id: this.#sequence++ });
  }

  text(text: string): void {
    const { type } = JSON.parse(text) as { type: string };
    if (type === 'ForceEndTurn') this.#recogniser.finish('asked');
    else if (type === 'CloseStream') {
      this.#recogniser.finish('closed');
      this.#line.close(1000, '');
    } else this.#error('UNPARSABLE_CLIENT_MESSAGE', `${type} is no message of Flux`);
  }

  binary(bytes: Buffer): void {
    this.#line.sound(bytes);
  }

  fail(): void {
    this.#error('INTERNAL_SERVER_ERROR', 'An error occurred within the server.');
  }

  #error(code: string, description: string): void {
    this.#line.say({ type: 'Error', sequence_id: this.#sequence++, code, description });
    this.#line.close(1011, description);
  }

  #said(said: Said): void {
    // A turn of which nothing was heard never began.
    if (said.words.length === 0 && !this.#hasStarted && said.is === 'final') return;
    const starts = said.words.length > 0 && !this.#hasStarted;
    if (starts && said.is === 'partial') this.#turn(said, 'StartOfTurn');
    else if (said.is === 'partial') this.#turn(said, 'Update');
    else this.#turn(said, 'EndOfTurn');
    this.#hasStarted = said.is === 'partial' && (this.#hasStarted || starts);
  }

  #turn(said: Said, event: string): void {
    const isEnd = event === 'EndOfTurn';
    this.#line.answer(said, {
      type: 'TurnInfo',
      request_id: this.#requestId,
      sequence_id: this.#sequence++,
      event,
      turn_index: said.segment,
      audio_window_start: said.startMs / 1000,
      audio_window_end: said.coversMs / 1000,
      transcript: said.words.map(({ text }) => text).join(' '),
      words: said.words.map(({ text, startMs, endMs }) => ({
        word: text,
        confidence: 0.99,
        start: startMs / 1000,
        end: endMs / 1000,
      })),
      end_of_turn_confidence: isEnd ? 0.9 : 0.1,
      ...(isEnd ? { trigger: said.reason === 'endpoint' ? 'model' : 'force_end_turn' } : {}),
    });
  }
}
