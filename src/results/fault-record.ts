/**
 * The kinds of faults, as plans, recordings and reports name them; src/load/fault/ says what each
 * is.
 */
export const faultKinds = [
  'reconnect',
  'cut-network',
  'drop-messages',
  'lose-packets',
  'stall-inference',
  'slow-inference',
  'fail-inference',
  'kill-inference',
  'stop-server',
  'kill-node',
  'stop-node',
  'drain-node',
  'forget-leases',
  'kill-gateway',
  'stop-gateway',
  'drain-gateway',
  'kill-zone',
  'kill-redis',
  'stop-redis',
  'slow-redis',
  'fail-over-redis',
  'kill-kafka',
  'stop-kafka',
  'kill-worker',
  'expire-certificates',
  'step-clock',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What became of a planned fault; times in ms from the start of the test. */
export type FaultRecord = {
  kind: FaultKind;
  plannedMs: number;
  /** When it really happened. */
  atMs: number;
  /** When it was over; absent for one that takes no time. */
  untilMs?: number;
  /** Learners that it affected, of its targets. */
  affected?: { learners: number; of: number };
  /** Why it did not happen. */
  problem?: string;
};

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
  const affected =
    a.affected && b.affected
      ? { learners: a.affected.learners + b.affected.learners, of: a.affected.of + b.affected.of }
      : (a.affected ?? b.affected);
  return {
    ...a,
    ...b,
    atMs: Math.min(a.atMs, b.atMs),
    ...(a.untilMs !== undefined && b.untilMs !== undefined && { untilMs: Math.max(a.untilMs, b.untilMs) }),
    ...(affected && { affected }),
  };
}
