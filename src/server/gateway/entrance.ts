import type { EngineStats } from '../../acoustic/engine/types.ts';
import type { ScoringStats } from '../../scoring/threads/pool.ts';
import { type CallerAccounts, refusedBy } from '../admission/accounts.ts';
import { Admission, jittered, lackingText } from '../admission/admission.ts';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import type { Room } from '../admission/room.ts';
import type { WorkBudget } from '../admission/work-budget.ts';
import type { Limits } from '../limits.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import type { Refusal } from '../refusal.ts';
import type { TakePlace } from './connection.ts';
import type { Registry } from './registry.ts';

export type EntranceOptions = {
  limits: Limits;
  registry: Registry;
  room: Room;
  work: WorkBudget;
  overload: OverloadControl;
  /** Sessions that there may be at once. */
  capacity(): number;
  /** The state of the server, read at each call; `engine` is absent while the model warms up. */
  state(): { draining: boolean; engine: EngineStats | undefined; scoring: ScoringStats | undefined };
  /** A session starts, and there are then so many. */
  onStart(sessions: number, nowMs: number): void;
  /** Monotonic, ms. */
  now(): number;
};

/** Asks everybody who has a say whether somebody may come in, in the order of what it costs. */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #admission: Admission;

  constructor(options: EntranceOptions) {
    this.#options = options;
    this.#admission = new Admission(options.limits, options.now());
  }

  /**
   * Why no WebSocket is made for this caller now; a place for it was freed if need be.
   * @param mayResume whether it could come back to a session.
   */
  connection(accounts: CallerAccounts, mayResume = true): HttpRefusal | undefined {
    return this.#noSession(accounts, mayResume) ?? this.#options.room.connection(accounts);
  }

  /** Why no session of this caller may start with a text of so many phones, or how it does. */
  session(accounts: CallerAccounts, phones: number): Refusal | TakePlace {
    const { registry, room, work, state, now, onStart } = this.#options;
    const nowMs = now();
    const place = room.session(accounts);
    const refusal =
      place.cap ??
      this.#admission.admit({ nowMs, lacks: place.lacks, ...this.#carried(), ...state() }) ??
      refusedBy(accounts, (account) => account.start(nowMs)) ??
      work.admit(phones);
    if (refusal) return refusal;
    return () => {
      this.#admission.started(nowMs);
      work.started(phones);
      const free = room.takeSession(accounts, place);
      onStart(registry.size + 1, nowMs);
      return free;
    };
  }

  /**
   * The refusal while no session of this caller can start: a WebSocket would be made for nothing.
   */
  #noSession(accounts: CallerAccounts, mayResume: boolean): HttpRefusal | undefined {
    const { limits, registry, room } = this.#options;
    // Nobody can tell yet who comes back to a session: while some wait for that, all are heard out.
    if (mayResume && registry.hasDetached()) return undefined;
    const { capacity, late } = this.#carried();
    const { lacks } = room.session(accounts);
    const message = late ?? (lacks && lackingText(lacks, capacity, limits));
    if (message === undefined) return undefined;
    const retryAfterMs = jittered(limits.busyRetryMs);
    return { status: 503, reason: 'overload', code: 'server_busy', message, retryAfterMs };
  }

  /** How many sessions there are places for, and why nobody may join them, if so. */
  #carried(): { capacity: number; late: string | undefined } {
    const { capacity, overload, registry } = this.#options;
    return { capacity: capacity(), late: overload.lateness(registry.size) };
  }
}
