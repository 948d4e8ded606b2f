import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A port in front of a store: its answers can be made late, and another store can take its place,
 * as behind the one address that a service with a failover has.
 */
export class StoreRelay {
  /** How much later answers come, ms. */
  delayMs = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: number;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((socket) => this.#relay(socket));
  }

  /** Listens on any port of loopback for the store on the port `target`. */
  static async listen(target: number): Promise<StoreRelay> {
    const relay = new StoreRelay(target);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** Ends all connections; those that come go to the store on this port. */
  switchTo(target: number): void {
    this.#target = target;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #relay(caller: Socket): void {
    const store = connect(this.#target, '127.0.0.1');
    for (const [socket, other] of [
      [caller, store],
      [store, caller],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    caller.on('data', (bytes) => store.write(bytes));
    let dueMs = 0;
    store.on('data', (bytes) => {
      // In order also when the delay ends meanwhile.
      dueMs = Math.max(dueMs, performance.now() + this.delayMs);
      setTimeout(() => caller.write(bytes), dueMs - performance.now());
    });
  }
}
