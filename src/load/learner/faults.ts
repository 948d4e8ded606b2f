import type { Clock, Timers } from '../../clock/wheel.ts';
import type { FaultRecord } from '../../results/fault-record.ts';
import type { FaultPlan } from '../plan/faults.ts';
import type { Learner } from './learner.ts';

/** Sets the faults that hit learners of this shard to happen; each is told when it has. */
export function scheduleLearnerFaults(
  faults: readonly FaultPlan[],
  learners: readonly Learner[],
  { timers, clock, startMs }: { timers: Timers; clock: Clock; startMs: number },
  onFault: (record: FaultRecord) => void,
): void {
  const byNumber = new Map(learners.map((learner) => [learner.learner, learner]));
  for (const fault of faults) {
    if (fault.kind !== 'reconnect' && fault.kind !== 'cut-network') continue;
    const mine = fault.learners.flatMap((number) => byNumber.get(number) ?? []);
    if (mine.length === 0) continue;
    timers.at(startMs + fault.atMs, () => {
      const atMs = clock() - startMs;
      const hit = mine.filter((learner) =>
        fault.kind === 'reconnect' ? learner.reconnect() : learner.cutNetwork(fault.forMs),
      );
      onFault({
        kind: fault.kind,
        plannedMs: fault.atMs,
        atMs,
        ...(fault.kind === 'cut-network' && { untilMs: atMs + fault.forMs }),
        hit: { learners: hit.length, of: mine.length },
      });
    });
  }
}
