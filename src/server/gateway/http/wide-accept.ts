import type { Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import type { Limits } from '../../limits.ts';
import { copyDescriptor, type Descriptor, descriptorOf } from './descriptors.ts';
import { closeListener } from './listener.ts';

/**
 * Lets a listener take many connections in each turn of the event loop. libuv takes one a turn from
 * each descriptor (since its 1.45; libuv/libuv#3696), so that in a server whose turns are long,
 * which a busy one's are, a hundred callers wait a hundred turns for their refusal. Each further
 * descriptor of the same socket is asked each turn, too. Where there is none all is as before.
 */
export class WideAccept {
  readonly #http: HttpServer;
  readonly #copies: number;
  readonly #servers: Server[] = [];
  #state: 'narrow' | 'asked' | 'closed' = 'narrow';
  #giveUp = (): void => {};
  /** Connections that are there. */
  #open = 0;

  constructor(http: HttpServer, { acceptsATurn }: Pick<Limits, 'acceptsATurn'>) {
    this.#http = http;
    this.#copies = acceptsATurn - 1;
    http.on('connection', (socket) => {
      this.#open += 1;
      socket.once('close', () => {
        this.#open -= 1;
      });
      if (this.#open >= busyFrom) this.#widen();
    });
  }

  /** How many connections are taken a turn. */
  get width(): number {
    return 1 + this.#servers.length;
  }

  /** Ends everything that came in by it, too. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#giveUp();
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve())));
    await Promise.all([closeListener(this.#http), ...closed]);
  }

  #widen(): void {
    const descriptor = descriptorOf(this.#http);
    if (this.#state !== 'narrow' || this.#copies === 0 || !descriptor) return;
    this.#state = 'asked';
    this.#giveUp = copyDescriptor(descriptor, this.#copies, (copy) => this.#add(copy));
  }

  #add(copy: Descriptor): void {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.on('error', () => {});
    server.on('connection', (socket) => this.#http.emit('connection', socket));
    server.listen(copy);
    if (this.#state === 'closed') server.close();
    else this.#servers.push(server);
  }
}

/** With fewer connections no turn is long. */
export const busyFrom = 20;
