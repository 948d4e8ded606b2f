import type { Vendor } from './emulator.ts';
import type { Line } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';

/** A protocol that some test invents: JSON of its own shape, sound in binary messages or in base64 within JSON. */
export type InventedProtocol = {
  path: string;
  rateHz: number;
  habits: Vendor['habits'];
  /** Said when the connection opens. */
  greeting?: object;
  /** What a text of the client means; undefined: nothing. */
  understand(message: Record<string, unknown>): { audio: string } | 'finish' | 'close' | { say: object } | undefined;
  answer(said: Said): object;
  error: object;
};

/** An emulator of it. */
export function invented(protocol: InventedProtocol): Vendor {
  return {
    path: protocol.path,
    habits: protocol.habits,
    keyOf: ({ headers, query }) => headers.authorization ?? query.get('key') ?? undefined,
    refusal: (status) => ({ status, body: { status } }),
    open: (line) => new InventedWire(line, protocol),
  };
}

class InventedWire {
  readonly #line: Line;
  readonly #protocol: InventedProtocol;
  readonly #recogniser: Recogniser;

  constructor(line: Line, protocol: InventedProtocol) {
    this.#line = line;
    this.#protocol = protocol;
    const onSaid = (said: Said): void => line.answer(said, protocol.answer(said));
    this.#recogniser = line.recogniser({ rateHz: protocol.rateHz, onSaid });
    if (protocol.greeting) line.say(protocol.greeting);
  }

  text(text: string): void {
    const meant = this.#protocol.understand(JSON.parse(text));
    if (meant === 'finish') this.#recogniser.finish('asked');
    else if (meant === 'close') this.#line.close(1000, '');
    else if (meant && 'audio' in meant) this.#line.sound(Buffer.from(meant.audio, 'base64'));
    else if (meant) this.#line.say(meant.say);
  }

  binary(bytes: Buffer): void {
    this.#line.sound(bytes);
  }

  fail(): void {
    this.#line.say(this.#protocol.error);
    this.#line.close(1011, '');
  }
}
