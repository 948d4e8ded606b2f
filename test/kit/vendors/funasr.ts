import type { Vendor } from './emulator.ts';
import type { Line } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';

/**
 * FunASR's WebSocket server in two passes: pieces of text while it is heard, each piece once, then the whole sentence anew.
 * Written from modelscope/FunASR (runtime/docs/websocket_protocol.md). The first message says how; `is_speaking: false` ends
 * the utterance; the same connection may begin another with `is_speaking: true`. Its clients put pieces together as they come,
 * so that those of languages with spaces bring theirs.
 */
export const funasr: Vendor = {
  path: '/',
  habits: { emitMs: 600, lagMs: 100, endpointMs: undefined },
  keyOf: () => undefined,
  refusal: (status) => ({ status, body: 'refused' }),
  subprotocol: (offered) => offered.find((name) => name === 'binary'),
  open: (line) => new FunasrWire(line),
};

class FunasrWire {
  readonly #line: Line;
  #recogniser: Recogniser | undefined;
  #mode = '2pass';
  #name = 'wav_default_id';
  #told = 0;

  constructor(line: Line) {
    this.#line = line;
  }

  text(text: string): void {
    const message = JSON.parse(text) as FunasrMessage;
    this.#mode = message.mode ?? this.#mode;
    this.#name = message.wav_name ?? this.#name;
    const [, middle = 10] = message.chunk_size ?? [];
    const rateHz = message.audio_fs ?? 16_000;
    // Chunks are counted in 60 ms.
    this.#recogniser ??= this.#line.recogniser({ rateHz, emitMs: middle * 60, onSaid: (said) => this.#said(said) });
    if (message.is_speaking === false) this.#recogniser.finish('asked');
  }

  binary(bytes: Buffer): void {
    // Sound before the first message has no settings: the server fails on it.
    if (!this.#recogniser) this.fail();
    else this.#line.sound(bytes);
  }

  fail(): void {
    this.#line.close(1011, '');
  }

  #said(said: Said): void {
    const isFinal = said.is === 'final';
    const fresh = said.words.slice(this.#told);
    const isFirst = this.#told === 0;
    this.#told = isFinal ? 0 : said.words.length;
    const is_final = isFinal;
    const say = (mode: string, words: Said['words'], before = ''): void => {
      const text = before + words.map((word) => word.text.toLowerCase()).join(' ');
      const timestamp = JSON.stringify(words.map(({ startMs, endMs }) => [startMs, endMs].map(Math.round)));
      this.#line.answer(said, { mode, wav_name: this.#name, text, is_final, timestamp });
    };
    const online = this.#mode === '2pass' ? '2pass-online' : 'online';
    if (!isFinal) {
      if (fresh.length > 0 && this.#mode !== 'offline') say(online, fresh, isFirst ? '' : ' ');
    } else if (this.#mode === 'online') say('online', fresh);
    else say(this.#mode === '2pass' ? '2pass-offline' : 'offline', said.words);
  }
}

type FunasrMessage = {
  mode?: '2pass' | 'online' | 'offline';
  wav_name?: string;
  is_speaking?: boolean;
  chunk_size?: number[];
  audio_fs?: number;
};
