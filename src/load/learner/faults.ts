import type { Clock, Timers } from '../../clock/wheel.ts';
import type { FaultPlan } from '../plan/faults.ts';
import type { Learner } from './learner.ts';

/** What became of a planned fault; times in ms from the start of the test. */
export type FaultRecord = {
  kind: FaultPlan['kind'];
  plannedMs: number;
  /** When it really happened. */
  atMs: number;
  /** When it was over; absent for one that takes no time. */
  untilMs?: number;
  /** Learners whom it hit, of those whom it was to hit. */
  hit?: { learners: number; of: number };
  /** Why it did not happen. */
  problem?: string;
};

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

/** One record for each fault, in order of time, from those of all generators. */
export function mergeFaultRecords(records: readonly FaultRecord[]): FaultRecord[] {
  const merged = new Map<string, FaultRecord>();
  for (const record of records) {
    const key = `${record.kind} ${record.plannedMs}`;
    const other = merged.get(key);
    merged.set(key, other ? both(other, record) : record);
  }
  return [...merged.values()].sort((a, b) => a.atMs - b.atMs);
}

function both(a: FaultRecord, b: FaultRecord): FaultRecord {
  const hit =
    a.hit && b.hit ? { learners: a.hit.learners + b.hit.learners, of: a.hit.of + b.hit.of } : (a.hit ?? b.hit);
  return {
    ...a,
    ...b,
    atMs: Math.min(a.atMs, b.atMs),
    ...(a.untilMs !== undefined && b.untilMs !== undefined && { untilMs: Math.max(a.untilMs, b.untilMs) }),
    ...(hit && { hit }),
  };
}
