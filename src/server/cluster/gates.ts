import { createServer, type Server, type Socket } from 'node:net';
import type { Descriptor } from '../gateway/http/descriptors.ts';

/** A gateway's own way to the port, as it tells its supervisor. */
export type GatesState = {
  /** Descriptors that it has: connections that it can take in a turn of its event loop. */
  gates: number;
  /** Connections that it may still take by itself. */
  left: number;
};

/**
 * Descriptors of the server's port at a gateway, by which it takes connections itself while its
 * turns are long: one a turn from each. Nobody can stop a descriptor and start it again, so that
 * those that have been open are gone once they are shut, and the supervisor sends others.
 */
export class Gates {
  readonly #take: (socket: Socket) => void;
  readonly #closed: Descriptor[] = [];
  readonly #open: Server[] = [];
  #left = 0;
  #taken = 0;

  constructor(take: (socket: Socket) => void) {
    this.#take = take;
  }

  get state(): GatesState {
    return { gates: this.#closed.length + this.#open.length, left: this.#left };
  }

  /** Connections that came in by them, ever. */
  get taken(): number {
    return this.#taken;
  }

  add(descriptor: Descriptor): void {
    this.#closed.push(descriptor);
    if (this.#left > 0) this.#openAll();
  }

  /** Takes so many connections from here on, and then no more; 0: none. */
  admit(most: number): void {
    this.#left = most;
    if (most > 0) this.#openAll();
    else this.#shut();
  }

  /** Gives up the port. */
  close(): void {
    this.admit(0);
    for (const descriptor of this.#closed.splice(0)) descriptor.close();
  }

  #openAll(): void {
    for (const descriptor of this.#closed.splice(0)) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#enter(socket));
      server.on('error', () => {});
      server.listen(descriptor);
      this.#open.push(server);
    }
  }

  #enter(socket: Socket): void {
    this.#left -= 1;
    this.#taken += 1;
    if (this.#left <= 0) this.#shut();
    this.#take(socket);
  }

  #shut(): void {
    for (const server of this.#open.splice(0)) server.close();
  }
}
