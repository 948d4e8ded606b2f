import { randomUUID } from 'node:crypto';
import type { Vendor, VendorRequest } from './emulator.ts';
import type { Line } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';

/**
 * AssemblyAI's universal streaming, version 3: raw PCM in, turns out, words final one by one. Written from
 * assemblyai.com/docs (Streaming: Message Sequence, Common session errors and closures). Messages of sound are 50 to 1000
 * ms; the key comes bare in `Authorization`, or as `token` in the query.
 */
export const assemblyai: Vendor = {
  path: '/v3/ws',
  habits: { emitMs: 200, lagMs: 100, endpointMs: undefined },
  keyOf: ({ headers, query }) => headers.authorization ?? query.get('token') ?? undefined,
  refusal: (status) => ({ status, body: status === 429 ? 'Too many concurrent sessions' : 'Not authorized' }),
  open: (line, request) => new AssemblyaiWire(line, request),
};

class AssemblyaiWire {
  readonly #line: Line;
  readonly #recogniser: Recogniser;
  readonly #rateHz: number;

  constructor(line: Line, { query }: VendorRequest) {
    this.#line = line;
    this.#rateHz = Number(query.get('sample_rate') ?? 16_000);
    this.#recogniser = line.recogniser({ rateHz: this.#rateHz, onSaid: (said) => this.#said(said) });
    line.say({ type: 'Begin', id: randomUUID(), expires_at: 1_764_000_000 });
  }

  text(text: string): void {
    const { type } = JSON.parse(text) as { type: string };
    if (type === 'ForceEndpoint') this.#recogniser.finish('asked');
    else if (type === 'Terminate') this.#over();
    else if (type !== 'KeepAlive' && type !== 'UpdateConfiguration') this.#error(3006, `Invalid Message: ${type}`);
  }

  binary(bytes: Buffer): void {
    const ms = (bytes.length / 2 / this.#rateHz) * 1000;
    if (ms < 50 || ms > 1000) {
      this.#error(3007, `Input Duration Error: Input duration violation: ${ms} ms. Expected between 50 and 1000 ms`);
    } else this.#line.sound(bytes);
  }

  fail(): void {
    this.#error(3005, 'Server error');
  }

  #error(error_code: number, error: string): void {
    this.#line.say({ type: 'Error', error_code, error });
    this.#line.close(error_code, error);
  }

  #over(): void {
    this.#recogniser.finish('closed');
    const seconds = this.#recogniser.heardMs / 1000;
    this.#line.say({ type: 'Termination', audio_duration_seconds: seconds, session_duration_seconds: seconds });
    this.#line.close(1000, '');
  }

  #said(said: Said): void {
    const isEnd = said.is === 'final';
    if (said.words.length === 0 && (!isEnd || said.reason === 'closed')) return;
    // The last word of a turn that goes on may still change.
    const settled = isEnd ? said.words : said.words.slice(0, -1);
    const text = settled.map((word) => word.text.toLowerCase()).join(' ');
    this.#line.answer(said, {
      type: 'Turn',
      turn_order: said.segment,
      turn_is_formatted: false,
      end_of_turn: isEnd,
      transcript: text,
      utterance: isEnd ? text : '',
      end_of_turn_confidence: isEnd ? 0.9 : 0.01,
      words: said.words.map((word, i) => ({
        start: Math.round(word.startMs),
        end: Math.round(word.endMs),
        text: word.text.toLowerCase(),
        confidence: 0.99,
        word_is_final: i < settled.length,
      })),
    });
  }
}
