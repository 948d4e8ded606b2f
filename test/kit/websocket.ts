import { WsReader } from '../../src/client/link/websocket-reader.ts';

export type Heard = {
  text: (text: string) => void;
  ping: (data: Uint8Array) => void;
  broken: (code: number, why: string) => void;
};

/** What a reader hears. Binary messages, pongs and closes are told as texts. */
class Listener extends WsReader {
  readonly #heard: Heard;

  constructor(heard: Heard) {
    super();
    this.#heard = heard;
  }

  protected override heardText = (bytes: Buffer, begin: number, end: number) =>
    this.#heard.text(bytes.toString('utf8', begin, end));
  protected override heardBinary = (bytes: number) => this.#heard.text(`binary ${bytes}`);
  protected override heardPing = (data: Uint8Array) => this.#heard.ping(data);
  protected override heardPong = () => this.#heard.text('pong');
  protected override heardClose = (code: number, reason: string) => this.#heard.text(`close ${code} ${reason}`);
  protected override broke = (code: number, why: string) => this.#heard.broken(code, why);
}

export function listen(heard: Partial<Heard>): WsReader {
  return new Listener({ text: () => {}, ping: () => {}, broken: () => {}, ...heard });
}

/** A frame of a server: its first byte, its payload in Latin-1. */
export function raw(first: number, payload: string | Buffer): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(bytes.length < 126 ? 2 : bytes.length < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = head.length === 2 ? bytes.length : head.length === 4 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(bytes.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([head, bytes]);
}
