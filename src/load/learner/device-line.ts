import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import type { Line, LineEvents } from '../../client/link/link.ts';
import { idle, type WheelTask } from '../../clock/wheel.ts';
import { Passage } from '../../proxy/passage.ts';
import type { SimulatedConnection } from '../../sim/network.ts';
import type { LinkTime } from './network-link.ts';

type DeviceLineOptions = {
  time: LinkTime;
  /** Begins to open a connection without TLS and an upgrade, now. */
  connect(): SimulatedConnection;
  /** How long after its virtual delivery a piece was really passed on, ms. */
  onLateness(ms: number): void;
  events: LineEvents;
};

/**
 * A connection of a device whose bytes somebody else makes: the app's end is a stream in memory,
 * which a passage joins to the real socket, on the wheel of the shard.
 */
export class DeviceLine implements Line, WheelTask {
  slot = idle;
  readonly #time: LinkTime;
  readonly #events: LineEvents;
  readonly #connect: () => SimulatedConnection;
  readonly #onLateness: (ms: number) => void;
  /** It opens from the beginning; a second attempt of the app opens another. */
  #connection: SimulatedConnection | undefined;
  #passage: Passage | undefined;
  #app: Duplex | undefined;
  #nowUs = 0;
  #writtenBytes = 0;
  #died: string | undefined;
  #over = false;

  constructor({ time, connect, onLateness, events }: DeviceLineOptions) {
    this.#time = time;
    this.#onLateness = onLateness;
    this.#events = events;
    this.#connect = connect;
    this.#connection = connect();
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get bufferedBytes(): number {
    return (this.#app?.writableLength ?? 0) + (this.#passage?.connection.bufferedBytes('up') ?? 0);
  }

  async join(far: Duplex): Promise<Duplex> {
    // Nobody listens to it yet, and it may be gone before its turn.
    far.on('error', () => {});
    while (this.#app && !this.#app.closed) await once(this.#app, 'close');
    if (this.#over || this.#died !== undefined) {
      far.destroy();
      throw new Error(this.#died ?? 'the call is over');
    }
    return this.#join(far);
  }

  release(): void {
    this.#passage?.release();
  }

  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#died === undefined) this.#passage?.destroy();
    this.#app?.destroy();
  }

  /** The wheel's call: something of the network is due. */
  run(): void {
    this.#passage?.run();
    this.#reschedule();
  }

  #join(far: Duplex): Duplex {
    const [app, device] = duplexPair();
    const connection = this.#connection ?? this.#connect();
    this.#connection = undefined;
    this.#writtenBytes = 0;
    let carriedBytes = 0;
    device.on('data', (bytes: Buffer) => {
      this.#writtenBytes += bytes.length;
    });
    const passage = new Passage(device, far, connection, () => this.#now(), {
      delivered: (direction, bytes, latencyUs, lateUs) => {
        const atMs = this.#time.clockMs(this.#nowUs - lateUs);
        const lateMs = this.#time.options.clock() - atMs;
        this.#onLateness(lateMs);
        if (direction === 'down') {
          this.#events.cameDown(latencyUs / 1000);
          return;
        }
        carriedBytes += bytes;
        this.#events.cameUp(carriedBytes, atMs, lateMs);
      },
      silenced: () => {
        this.#dies('the phone got a new address');
        // The server goes on to wait for a device that is not there any more.
        this.#time.abandon({ pause() {}, terminate: () => passage.destroy() });
      },
      reset: (reason) => this.#dies(reason),
      over: () => {},
      changed: () => this.#reschedule(),
    });
    device.once('close', () => app.destroy());
    app.once('close', () => {
      if (this.#died === undefined) passage.destroy();
    });
    this.#app = app;
    this.#passage = passage;
    this.#reschedule();
    return app;
  }

  #dies(reason: string): void {
    if (this.#died !== undefined || this.#over) return;
    this.#died = reason;
    this.#events.died(reason);
  }

  /** What was due earlier may run after what came later: the network's time never goes back. */
  #now(): number {
    this.#nowUs = Math.max(this.#nowUs, this.#time.nowUs());
    return this.#nowUs;
  }

  #reschedule(): void {
    const nextUs = this.#passage?.nextUs() ?? Number.POSITIVE_INFINITY;
    if (nextUs === Number.POSITIVE_INFINITY) this.slot = idle;
    else this.#time.options.timers.schedule(this, this.#time.clockMs(nextUs));
  }
}
