import type { Line, LineEvents, OpenLink, SimulatedDevice } from '../../client/link/link.ts';
import type { Clock, Timers } from '../../clock/wheel.ts';
import { DeviceNetwork } from '../../sim/network.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { DeviceLine } from './device-line.ts';
import { type Abandoned, NetworkLink } from './network-link.ts';

export type NetworkShaperOptions = {
  seed: number;
  /** The plan's 0 on the clock: time 0 of every network. */
  startMs: number;
  clock: Clock;
  /** When what runs now was due. */
  dueMs: Clock;
  timers: Timers;
};

/** The simulated networks of one shard's devices. Their time is whole us since the plan's 0. */
export class NetworkShaper {
  readonly options: NetworkShaperOptions;
  /** Sockets whose devices have gone: open and silent (lingering), as the server would see them. */
  readonly #lingering = new Set<Abandoned>();

  constructor(options: NetworkShaperOptions) {
    this.options = options;
  }

  /**
   * The network of one learner's device; every link of the learner goes over it. `onLateness`: how
   * long after its virtual delivery a message was really passed on, ms.
   */
  device(learner: number, profile: NetworkProfile, onLateness: (ms: number) => void): SimulatedDevice {
    return new DeviceOnNetwork(this, profile, learner, onLateness);
  }

  /**
   * Now, or when what runs now was due: what a device does on time is not late because the
   * generator is.
   */
  nowUs(): number {
    return Math.round((this.options.dueMs() - this.options.startMs) * 1000);
  }

  /** A virtual time on the shard's clock, ms. */
  clockMs(atUs: number): number {
    return this.options.startMs + atUs / 1000;
  }

  /** Keeps a dead device's socket open and silent for as long as a server keeps waiting for it. */
  abandon(socket: Abandoned): void {
    socket.pause();
    this.#lingering.add(socket);
    this.options.timers.at(this.options.clock() + lingerMs, () => {
      this.#lingering.delete(socket);
      socket.terminate();
    });
  }

  stop(): void {
    for (const socket of this.#lingering) socket.terminate();
    this.#lingering.clear();
  }
}

/** One device: its network outlives its connections. */
class DeviceOnNetwork implements SimulatedDevice {
  readonly #shaper: NetworkShaper;
  readonly #network: DeviceNetwork;
  readonly #profile: NetworkProfile;

  readonly #onLateness: (ms: number) => void;

  constructor(shaper: NetworkShaper, profile: NetworkProfile, client: number, onLateness: (ms: number) => void) {
    this.#onLateness = onLateness;
    this.#shaper = shaper;
    this.#profile = profile;
    this.#network = new DeviceNetwork(profile, { seed: shaper.options.seed, client });
  }

  links(real: OpenLink): OpenLink {
    return (events, hints, at) => {
      const connection = this.#network.connect(this.#shaper.nowUs());
      const { transport } = this.#profile;
      return new NetworkLink({
        connection,
        transport,
        shaper: this.#shaper,
        onLateness: this.#onLateness,
        real: (own) => real(own, hints, at),
        events,
      });
    };
  }

  line(events: LineEvents): Line {
    const connect = () => this.#network.connect(this.#shaper.nowUs(), { bare: true });
    return new DeviceLine({ time: this.#shaper, connect, onLateness: this.#onLateness, events });
  }

  cut(forMs: number): void {
    this.#network.cut(this.#shaper.nowUs(), Math.round(forMs * 1000), 'drop');
  }

  lose(share: number, forMs: number): void {
    this.#network.lose(share, this.#shaper.nowUs(), Math.round(forMs * 1000));
  }
}

/**
 * The server's idle limit is 60 s by default; after that it has let go of the session, and the
 * socket with it.
 */
const lingerMs = 60_000;
