import type { Vendor } from './emulator.ts';
import type { Line } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';

/**
 * The WebSocket server of Vosk: one answer a message, strictly. Written from alphacep/vosk-server (websocket/asr_server.py).
 * Sound is 8 kHz until a `config` says otherwise, the end is `{"eof" : 1}` in exactly that spelling, and behind its answer the
 * server closes: one connection is one recording. Checked against the real recogniser.
 */
export const vosk: Vendor = {
  path: '/',
  habits: { emitMs: undefined, lagMs: 100, endpointMs: undefined },
  keyOf: () => undefined,
  refusal: (status) => ({ status, body: 'Failed to open a WebSocket connection.' }),
  open: (line) => new VoskWire(line),
};

class VoskWire {
  readonly #line: Line;
  #rateHz = 8000;
  #wantsWords = true;
  #recogniser: Recogniser | undefined;

  constructor(line: Line) {
    this.#line = line;
  }

  text(text: string): void {
    if (text === '{"eof" : 1}') {
      this.#listen().finish('closed');
      this.#line.close(1000, '');
      return;
    }
    if (!text.includes('config')) {
      // The server would take the letters for samples; they are noise.
      this.binary(Buffer.from(text));
      return;
    }
    const { config } = JSON.parse(text) as { config: { sample_rate?: number; words?: boolean } };
    this.#rateHz = config.sample_rate ?? this.#rateHz;
    this.#wantsWords = config.words ?? this.#wantsWords;
  }

  binary(bytes: Buffer): void {
    this.#listen();
    this.#line.sound(bytes);
  }

  /** It has no words for a failure: the thread dies, and the connection with it. */
  fail(): void {
    this.#line.close(1011, '');
  }

  #listen(): Recogniser {
    this.#recogniser ??= this.#line.recogniser({ rateHz: this.#rateHz, onSaid: (said) => this.#said(said) });
    return this.#recogniser;
  }

  #said(said: Said): void {
    const text = said.words.map((word) => word.text.toLowerCase()).join(' ');
    if (said.is === 'partial') {
      this.#line.answer(said, { partial: text });
      return;
    }
    const result = said.words.map((word) => ({
      conf: 1,
      end: word.endMs / 1000,
      start: word.startMs / 1000,
      word: word.text.toLowerCase(),
    }));
    this.#line.answer(said, { ...(this.#wantsWords && result.length > 0 ? { result } : {}), text });
  }
}
