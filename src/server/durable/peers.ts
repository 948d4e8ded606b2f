import { type LiveGateway, type SessionStore, StoreError, type StoreTrouble } from '../../stores/session-store.ts';

export type PeersOptions = {
  store: SessionStore;
  /** This gateway, once it takes sessions; undefined: it does not. */
  self(): LiveGateway | undefined;
  onTrouble(why: StoreTrouble): void;
};

/** The other gateways that take sessions, as the store knows them. */
export class Peers {
  readonly #options: PeersOptions;
  #others: readonly LiveGateway[] = [];
  #toldMs = Number.NEGATIVE_INFINITY;
  #announced: string | undefined;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** To be called a few times a second: says that we are there, and hears who else is. */
  tick(nowMs: number): void {
    if (nowMs - this.#toldMs < announceEveryMs) return;
    this.#toldMs = nowMs;
    void this.#tell(liveMs);
  }

  /** Takes no more sessions: others do not send theirs here from now on. */
  async leave(): Promise<void> {
    this.#toldMs = Number.POSITIVE_INFINITY;
    await this.#tell(0);
  }

  /** Whether anybody else takes sessions. */
  get areThere(): boolean {
    return this.#others.length > 0;
  }

  /**
   * One of those that run this model, drawn by chance; undefined: there is none. One without a URL
   * of its own may be found in place of any other: then all have to run it.
   */
  any(model: string): LiveGateway | undefined {
    const fit = this.#others.filter(({ models }) => models.includes(model));
    const sure = fit.length === this.#others.length ? fit : fit.filter(({ url }) => url !== '');
    return sure[Math.floor(Math.random() * sure.length)];
  }

  async #tell(ttlMs: number): Promise<void> {
    const { store, self, onTrouble } = this.#options;
    const id = self()?.id ?? this.#announced;
    if (id === undefined || !store.isUp) return;
    this.#announced = id;
    try {
      this.#others = await store.announce(self() ?? { id, url: '', models: [] }, self() ? ttlMs : 0);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      onTrouble(error.why);
    }
  }
}

const announceEveryMs = 1000;
/** After this a gateway that says nothing is gone. */
const liveMs = 3500;
