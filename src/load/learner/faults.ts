import type { Clock, Timers } from '../../clock/wheel.ts';
import type { FaultRecord } from '../../results/fault-record.ts';
import { learnerFault } from '../fault/index.ts';
import type { FaultPlan } from '../plan/faults.ts';
import type { Learner } from './learner.ts';

/**
 * Schedules the faults that affect learners of this shard; each is reported when it has happened.
 */
export function scheduleLearnerFaults(
  faults: readonly FaultPlan[],
  learners: readonly Learner[],
  { timers, clock, startMs }: { timers: Timers; clock: Clock; startMs: number },
  onFault: (record: FaultRecord) => void,
): void {
  const byNumber = new Map(learners.map((learner) => [learner.learner, learner]));
  for (const fault of faults) {
    if (!('learners' in fault)) continue;
    const { inject } = learnerFault(fault.kind);
    const mine = fault.learners.flatMap((number) => byNumber.get(number) ?? []);
    if (mine.length === 0) continue;
    timers.at(startMs + fault.atMs, () => {
      const atMs = clock() - startMs;
      const affected = mine.filter((learner) => inject(learner, fault));
      onFault({
        kind: fault.kind,
        plannedMs: fault.atMs,
        atMs,
        ...('forMs' in fault && { untilMs: atMs + fault.forMs }),
        affected: { learners: affected.length, of: mine.length },
      });
    });
  }
}
