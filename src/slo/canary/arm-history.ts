/** One feedback event of a run. */
export type TimedEvent = { atMs: number; session: string; latencyMs: number };

export type IntervalCount = { bad: number; total: number };

/**
 * Bad and all events an interval. `never` counts events that were due and did not come; nobody knows when, so they are
 * spread evenly. A run of fewer than `intervals` is one window by itself: empty intervals stand before it.
 */
export function historyOfEvents(
  events: readonly TimedEvent[],
  never: number,
  { atMost, everyMs, intervals }: { atMost: number; everyMs: number; intervals: number },
): IntervalCount[] {
  if (events.length === 0 && never === 0) return [];
  const times = events.map((event) => event.atMs);
  const startMs = times.reduce((least, atMs) => Math.min(least, atMs), times[0] ?? 0);
  const endMs = times.reduce((most, atMs) => Math.max(most, atMs), startMs);
  const seen = Math.floor((endMs - startMs) / everyMs) + 1;
  const history = Array.from({ length: seen }, (_, i) => {
    const missing = Math.floor(((i + 1) * never) / seen) - Math.floor((i * never) / seen);
    return { bad: missing, total: missing };
  });
  for (const { atMs, latencyMs } of events) {
    const interval = history[Math.floor((atMs - startMs) / everyMs)]!;
    interval.total++;
    if (latencyMs > atMost) interval.bad++;
  }
  return padded(history, intervals);
}

/** A count without times is one window. */
export function historyOfCount(count: IntervalCount, intervals: number): IntervalCount[] {
  return count.total === 0 ? [] : padded([count], intervals);
}

/** One latency a session, its median: the events of a session are not independent. */
export function sessionMedians(events: readonly TimedEvent[]): number[] {
  const sessions = new Map<string, number[]>();
  for (const { session, latencyMs } of events) {
    const own = sessions.get(session);
    if (own) own.push(latencyMs);
    else sessions.set(session, [latencyMs]);
  }
  return [...sessions.values()].map((own) => own.sort((a, b) => a - b)[Math.ceil(own.length / 2) - 1]!);
}

function padded(history: readonly IntervalCount[], intervals: number): IntervalCount[] {
  const missing = Math.max(0, intervals - history.length);
  return [...Array.from({ length: missing }, () => ({ bad: 0, total: 0 })), ...history];
}
