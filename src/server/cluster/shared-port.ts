import { createServer, type Server, type Socket } from 'node:net';
import { type ListenAddress, listen } from '../../listen.ts';
import { copyDescriptor, type Descriptor, descriptorOf } from '../gateway/http/descriptors.ts';
import { listenHints } from '../gateway/http/listener.ts';

/**
 * The port of a server with several gateways, at their supervisor, which may leave it to them for
 * a while. Who stops to listen closes its descriptor; another is kept, without which the port would
 * be gone with the last gateway.
 */
export class SharedPort {
  readonly #onConnection: (socket: Socket) => void;
  #server: Server;
  /** The first is kept for good: it is what others are sent, and holds the port. */
  readonly #copies: Descriptor[] = [];
  #isAsking = false;
  #isClosed = false;
  #giveUp = (): void => {};

  constructor(onConnection: (socket: Socket) => void) {
    this.#onConnection = onConnection;
    this.#server = this.#create();
  }

  /**
   * @returns the port that it really has
   * @throws SpeechfbError `port_in_use`, `cannot_listen`
   */
  listen(address: ListenAddress): Promise<number> {
    return listen(this.#server, address, listenHints);
  }

  /** Whether connections are taken here. */
  get isOpen(): boolean {
    return this.#server.listening;
  }

  /** Whether it could be left and taken again. */
  get canPause(): boolean {
    return this.#copies.length > 1;
  }

  /** What can be sent to others, and stays open until `release`; undefined: there is none yet. */
  get descriptor(): Descriptor | undefined {
    return this.#copies[0];
  }

  /** Makes sure that it can be left, after a while. */
  prepare(): void {
    if (this.#isClosed || this.#isAsking || this.#copies.length > fewCopies) return;
    const descriptor = this.descriptor ?? descriptorOf(this.#server);
    if (!descriptor) return;
    this.#isAsking = true;
    this.#giveUp = copyDescriptor(descriptor, copiesAtOnce, (copy) => this.#add(copy));
    // Where that failed it is not asked for each connection.
    setTimeout(() => {
      this.#isAsking = false;
    }, askEveryMs).unref();
  }

  /** Takes no connections until `resume`: those who come wait for others to take them. */
  pause(): void {
    if (this.canPause) this.#server.close();
  }

  resume(): void {
    const copy = this.isOpen || this.#isClosed || !this.canPause ? undefined : this.#copies.pop();
    if (!copy) return;
    this.#server = this.#create();
    // One that cannot be listened on is given up: whoever looks next takes another.
    this.#server.on('error', () => copy.close());
    this.#server.listen(copy);
  }

  /** Takes no connections any more. */
  close(): void {
    this.#isClosed = true;
    this.#giveUp();
    this.#server.close();
  }

  /** Gives up the port, once nothing is sent to others any more. */
  release(): void {
    for (const copy of this.#copies.splice(0)) copy.close();
  }

  #create(): Server {
    return createServer({ pauseOnConnect: true, allowHalfOpen: true }, this.#onConnection);
  }

  #add(copy: Descriptor): void {
    if (this.#isClosed) copy.close();
    else this.#copies.push(copy);
  }
}

/** One goes each time that the port is taken again. */
const copiesAtOnce = 16;
const fewCopies = 4;
const askEveryMs = 10_000;
