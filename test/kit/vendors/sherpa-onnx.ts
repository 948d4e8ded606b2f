import type { Vendor } from './emulator.ts';
import type { Line } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';

/**
 * The streaming WebSocket server of sherpa-onnx: float32 samples in, the whole text of the segment out. Written from
 * k2-fsa/sherpa-onnx (sherpa-onnx/csrc/online-websocket-server-impl.cc). The client ends with `Done`, the server with
 * `Done!`, and leaves the closing to the client.
 */
export const sherpaOnnx: Vendor = {
  path: '/',
  habits: { emitMs: 320, lagMs: 100, endpointMs: undefined },
  keyOf: () => undefined,
  refusal: (status) => ({ status, body: 'The server is busy. Please retry later.' }),
  open: (line) => new SherpaWire(line),
};

class SherpaWire {
  readonly #line: Line;
  readonly #recogniser: Recogniser;

  constructor(line: Line) {
    this.#line = line;
    this.#recogniser = line.recogniser({ rateHz: 16_000, onSaid: (said) => this.#said(said) });
  }

  text(text: string): void {
    // Any other text is passed over.
    if (text !== 'Done') return;
    this.#recogniser.finish('closed');
    this.#line.say('Done!');
  }

  binary(bytes: Buffer): void {
    const floats = new Float32Array(new Uint8Array(bytes.subarray(0, bytes.length & ~3)).buffer);
    this.#line.samples(
      Int16Array.from(floats, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)))),
    );
  }

  fail(): void {
    this.#line.close(1011, '');
  }

  #said(said: Said): void {
    const isFinal = said.is === 'final';
    this.#line.answer(said, {
      text: said.words.map(({ text }) => ` ${text.toUpperCase()}`).join(''),
      tokens: said.words.map(({ text }) => `▁${text.toUpperCase()}`),
      timestamps: said.words.map(({ startMs }) => Number(((startMs - said.startMs) / 1000).toFixed(2))),
      ys_probs: [],
      lm_probs: [],
      context_scores: [],
      segment: said.segment,
      start_time: said.startMs / 1000,
      is_final: isFinal,
      is_eof: isFinal && said.reason === 'closed',
    });
  }
}
