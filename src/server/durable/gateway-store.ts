import { setTimeout as wait } from 'node:timers/promises';
import type { LiveGateway, SessionStore, StoreTrouble } from '../../stores/session-store.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { createSecret } from '../secrets.ts';
import { Keeper } from './keeper.ts';
import type { MoveTo } from './kept-session.ts';
import { Peers } from './peers.ts';

export type GatewayStoreOptions = {
  store: SessionStore;
  /** How long a session outlives its gateway, ms. */
  ttlMs: number;
  /** Where this gateway is found, and its models; undefined while it takes no sessions. */
  self(): Omit<LiveGateway, 'id'> | undefined;
  metrics: Pick<Metrics, 'storeFailure'>;
};

/** A gateway's part in a store: its sessions are kept there, and it knows who else is. */
export class GatewayStore {
  readonly store: SessionStore;
  readonly keeper: Keeper;
  readonly peers: Peers;
  #hasTakenSessions = false;

  constructor({ store, ttlMs, self, metrics }: GatewayStoreOptions) {
    const id = createSecret(9);
    const onTrouble = (why: StoreTrouble): void => metrics.storeFailure(why);
    this.store = store;
    this.keeper = new Keeper({ store, gateway: id, ttlMs, onTrouble });
    const selfWithId = (): LiveGateway | undefined => {
      const found = self();
      this.#hasTakenSessions ||= found !== undefined;
      return found && { id, ...found };
    };
    this.peers = new Peers({ store, self: selfWithId, onTrouble });
  }

  /**
   * Takes no more sessions, and says where those that are here may go: each to a gateway that runs
   * its model; undefined: there is no other gateway.
   */
  async leave(): Promise<MoveTo | undefined> {
    if (!this.#hasTakenSessions) return undefined;
    await this.peers.leave();
    // Those that are stopped together leave together, and are nowhere to go.
    await wait(leavingMs);
    await this.peers.leave();
    if (!this.peers.areThere) return undefined;
    return async (session, model) => {
      const isKept = this.peers.any(model) !== undefined && (await this.keeper.write(session));
      const to = isKept ? this.peers.any(model) : undefined;
      return to && (to.url === '' ? null : to.url);
    };
  }

  /** To be called a few times a second. */
  tick(nowMs: number): void {
    this.keeper.tick(nowMs);
    this.peers.tick(nowMs);
  }
}

const leavingMs = 100;
