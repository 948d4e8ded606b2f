import { lanes } from '../../protocol/client-messages.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { BusyThreads } from '../overload/busy-threads.ts';
import { IdleMachine } from '../overload/idle-machine.ts';
import { largerGroupsFrom } from '../overload/ladder.ts';
import type { CoresUsed } from '../overload/lost-cores.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import type { Session } from '../session/session.ts';
import type { Registry } from './registry.ts';

export type OverloadWatchOptions = {
  control: OverloadControl;
  registry: Registry;
  log: Pick<Log, 'warn'>;
  metrics: Pick<Metrics, 'step'>;
  /** Sessions that a token, tenant or address has to itself: of who has more the first go. */
  guaranteed(): number;
  /** The session is to go, and may come back. */
  sendAway(session: Session): void;
  /** The engine is to run larger groups, or the usual ones again. */
  preferGroups(wanted: boolean): void;
  /** Share of their time that other threads worked, 0-1, as they say themselves. */
  others(): readonly (number | undefined)[];
};

/** Lets the control look, and does to the sessions what it decides. */
export class OverloadWatch {
  readonly #options: OverloadWatchOptions;
  readonly #threads = new BusyThreads();
  readonly #machine = new IdleMachine();

  constructor(options: OverloadWatchOptions) {
    this.#options = options;
  }

  /** To be called by a timer each `everyMs`. */
  tick(nowMs: number, everyMs: number): void {
    const { control, registry, log, metrics, others, preferGroups, sendAway, guaranteed } = this.#options;
    const before = control.level;
    const utilisation = (): number => this.#threads.utilisation(...others());
    const streaming = (): number => {
      const { live, batch } = registry.scoredByLane();
      return live + batch;
    };
    const idle = (): number | undefined => this.#machine.share();
    const cores = (): number => this.#machine.cores;
    const used = (): CoresUsed | undefined => this.#machine.used;
    const load = { sessions: registry.scored, streaming, utilisation, idle, cores, used };
    if (control.tick(nowMs, everyMs, load)) {
      const { step, standingMs, sessionLimit } = control;
      log.warn({ step, standingMs: Math.round(standingMs), sessionLimit }, 'the server spares its sessions');
      if (control.level > before) metrics.step(step);
      preferGroups(control.level >= largerGroupsFrom);
      for (const session of registry.all()) session.announceStep();
    }
    // The newest has had least of what it came for, and would find another place soonest.
    const shed = control.takeShed(nowMs, () => registry.scoredByLane());
    for (const lane of lanes) {
      for (const session of registry.firstOf(lane, shed[lane], guaranteed())) sendAway(session);
    }
  }
}
