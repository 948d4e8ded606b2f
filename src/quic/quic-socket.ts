import { Duplex } from 'node:stream';

/**
 * A QUIC connection with its one bidirectional stream as a socket: what is written goes onto the
 * stream, and the connection ends with the socket. Datagrams travel beside the stream, each by
 * itself, in any order or not at all; one that comes is a `datagram` event with its bytes.
 */
export class QuicSocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly #lingerMs: number;
  #connection: QuicConnection | undefined;
  #stream: QuicStream | undefined;
  /** A write that waits for the stream. */
  #write: (() => void) | undefined;

  /** Nothing is sent before `begin`; what is written waits. */
  constructor({ remoteAddress, remotePort, lingerMs }: QuicSocketOptions) {
    super({ allowHalfOpen: true });
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.#lingerMs = lingerMs;
  }

  /** The connection is there, and this is its stream. */
  begin(connection: QuicConnection, stream: QuicStream): void {
    if (this.destroyed) {
      connection.close(closedBy.us, '');
      return;
    }
    this.#connection = connection;
    this.#stream = stream;
    connection.on('datagram', (bytes) => void this.emit('datagram', bytes));
    connection.on('close', ({ errorCode, reason }) => this.#closed(errorCode, reason));
    stream.on('data', (bytes) => this.#read(bytes));
    stream.on('end', () => void this.push(null));
    // The connection's own end says why.
    stream.on('error', () => {});
    stream.on('close', () => void setImmediate(() => this.#closed(closedBy.us, '')));
    this.#write?.();
    this.#write = undefined;
  }

  /**
   * Sends one message beside the stream.
   * @returns false where it was not even tried: the connection is not there, or the message larger
   *   than every path takes
   */
  sendDatagram(bytes: Uint8Array): boolean {
    if (!this.#connection || this.destroyed || bytes.length > mostDatagramBytes) return false;
    return this.#connection.sendDatagram(bytes);
  }

  /** What comes is taken as it comes; see `#read`. */
  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Who writes may reuse the memory as soon as it is told that this is done.
    const send = (): void => void this.#stream?.write(Buffer.from(bytes), done);
    if (this.#stream) send();
    else this.#write = send;
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#stream) this.#stream.end(() => done());
    else this.#write = () => void this.#stream?.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const connection = this.#connection;
    // To close a connection is to forget what it has not delivered yet.
    if (connection && this.writableFinished && !error) {
      const timer = setTimeout(() => connection.close(closedBy.us, ''), this.#lingerMs);
      timer.unref();
      connection.on('close', () => clearTimeout(timer));
    } else connection?.close(closedBy.us, '');
    done(error);
  }

  /**
   * The library reads on, whoever does not, so that no window of QUIC holds the other end back:
   * here is the bound.
   */
  #read(bytes: Buffer): void {
    if (this.destroyed) return;
    this.push(bytes);
    if (this.readableLength <= mostUnreadBytes) return;
    this.destroy(new Error(`more than ${mostUnreadBytes} bytes came before they were read`));
  }

  #closed(errorCode: number, reason: string): void {
    if (this.destroyed) return;
    if (errorCode !== closedBy.us || reason !== '') {
      this.destroy(new Error(`the QUIC connection has ended: ${endOf(errorCode, reason)}`));
      return;
    }
    // Whoever reads hears what came before, and then that nothing more comes.
    if (!this.readableEnded) this.push(null);
    this.end();
    setImmediate(() => this.destroy());
  }
}

export type QuicSocketOptions = {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
  /** How long a connection stays when its socket is over, so that the last words get through. */
  lingerMs: number;
};

/** What a connection of the library is to a socket, at either end. */
export type QuicConnection = {
  on(event: 'datagram', hear: (bytes: Buffer) => void): unknown;
  on(event: 'close', hear: (info: { errorCode: number; reason: string }) => void): unknown;
  sendDatagram(bytes: Uint8Array): boolean;
  close(errorCode: number, reason: string): unknown;
};

/** What its stream is. */
export type QuicStream = Pick<Duplex, 'on' | 'write' | 'end'>;

/**
 * The smallest path of QUIC takes UDP payloads of 1200 bytes (RFC 9000, section 14), of which a
 * packet's head with the longest connection ID, its tag and the head of a datagram frame take 44.
 */
export const mostDatagramBytes = 1156;

/** The reason is the library's at the other end, or at this one where nobody was heard any more. */
function endOf(errorCode: number, reason: string): string {
  if (/shutdown/.test(reason)) return 'the server has gone away';
  if (/time/.test(reason)) return 'the other end was not heard any more';
  return errorCode === closedBy.us ? 'the other end has closed it' : `error ${errorCode}`;
}

/** Application error codes of CONNECTION_CLOSE. */
const closedBy = { us: 0 };
/** What a session sends again after an outage is less. */
const mostUnreadBytes = 4_194_304;
