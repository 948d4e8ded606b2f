import type { Link, OpenLink, Phone } from '../../client/link/link.ts';
import type { Clock, Timers } from '../../clock/wheel.ts';
import { PhoneNetwork } from '../../sim/network.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { ShapedLink } from './network-link.ts';

export type ShaperOptions = {
  seed: number;
  /** The plan's 0 on the clock: time 0 of every network. */
  startMs: number;
  clock: Clock;
  /** When what runs now was due. */
  dueMs: Clock;
  timers: Timers;
};

/** The simulated networks of one shard's phones. Their time is whole us since the plan's 0. */
export class Shaper {
  readonly options: ShaperOptions;
  /** Sockets whose phones have gone: open and mute, as the server would see them. */
  readonly #mute = new Set<Link>();

  constructor(options: ShaperOptions) {
    this.options = options;
  }

  /**
   * The network of one learner's phone; every link of the learner goes over it. `onLateness`: how long after its virtual
   * delivery a message was really passed on, ms.
   */
  phone(learner: number, profile: NetworkProfile, onLateness: (ms: number) => void): Phone {
    return new ShapedPhone(this, profile, learner, onLateness);
  }

  /** Now, or when what runs now was due: what a phone does on time is not late because the generator is. */
  nowUs(): number {
    return Math.round((this.options.dueMs() - this.options.startMs) * 1000);
  }

  /** A virtual time on the shard's clock, ms. */
  clockMs(atUs: number): number {
    return this.options.startMs + atUs / 1000;
  }

  /** Keeps a dead phone's socket open and silent for as long as a server keeps waiting for it. */
  abandon(link: Link): void {
    link.pause();
    this.#mute.add(link);
    this.options.timers.at(this.options.clock() + muteForMs, () => {
      this.#mute.delete(link);
      link.terminate();
    });
  }

  stop(): void {
    for (const link of this.#mute) link.terminate();
    this.#mute.clear();
  }
}

/** One phone: its network outlives its connections. */
class ShapedPhone implements Phone {
  readonly #shaper: Shaper;
  readonly #network: PhoneNetwork;
  readonly #profile: NetworkProfile;

  readonly #onLateness: (ms: number) => void;

  constructor(shaper: Shaper, profile: NetworkProfile, client: number, onLateness: (ms: number) => void) {
    this.#onLateness = onLateness;
    this.#shaper = shaper;
    this.#profile = profile;
    this.#network = new PhoneNetwork(profile, { seed: shaper.options.seed, client });
  }

  links(real: OpenLink): OpenLink {
    return (events) => {
      const connection = this.#network.connect(this.#shaper.nowUs());
      const { transport } = this.#profile;
      return new ShapedLink({
        connection,
        transport,
        shaper: this.#shaper,
        onLateness: this.#onLateness,
        real,
        events,
      });
    };
  }

  cut(forMs: number): void {
    this.#network.cut(this.#shaper.nowUs(), Math.round(forMs * 1000), 'drop');
  }
}

/** The server's idle limit is 60 s by default; after that it has let go of the session, and the socket with it. */
const muteForMs = 60_000;
