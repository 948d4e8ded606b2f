import type { CanaryUnit } from './canary.ts';

/** One feedback event of a run. */
export type TimedEvent = { atMs: number; session: string; utterance?: number | undefined; latencyMs: number };

/** Counts units; one that is bad in part counts in part. */
export type IntervalCount = { bad: number; total: number };

type Rule = { atMost: number; everyMs: number; intervals: number; unit: CanaryUnit };

/**
 * Bad and all units an interval: events, or utterances or sessions, of which each counts once, in
 * the interval of its first event, and is as bad as the share of its events that are. `never`
 * counts events that were due and did not come; nobody knows when or of which unit, so they are
 * spread evenly, as many of them to a unit as of the others. A run of fewer than `intervals` is one
 * window by itself: empty intervals stand before it.
 */
export function historyOfEvents(events: readonly TimedEvent[], never: number, rule: Rule): IntervalCount[] {
  if (events.length === 0 && never === 0) return [];
  const { everyMs, intervals } = rule;
  const units = unitsOf(events, rule);
  const times = events.map((event) => event.atMs);
  const startMs = times.reduce((least, atMs) => Math.min(least, atMs), times[0] ?? 0);
  const endMs = times.reduce((most, atMs) => Math.max(most, atMs), startMs);
  const seen = Math.floor((endMs - startMs) / everyMs) + 1;
  const perUnit = events.length === 0 ? 1 : events.length / units.length;
  const history = Array.from({ length: seen }, (_, i) => {
    const missing = (Math.floor(((i + 1) * never) / seen) - Math.floor((i * never) / seen)) / perUnit;
    return { bad: missing, total: missing };
  });
  for (const { atMs, bad, total } of units) {
    const interval = history[Math.floor((atMs - startMs) / everyMs)]!;
    interval.total++;
    interval.bad += bad / total;
  }
  return padded(history, intervals);
}

/** How many events a unit has on average; 1 without any. */
export function eventsOfUnit(events: readonly TimedEvent[], unit: CanaryUnit): number {
  return events.length === 0 ? 1 : events.length / unitsOf(events, { atMost: 0, unit }).length;
}

type Unit = { atMs: number; bad: number; total: number };

function unitsOf(events: readonly TimedEvent[], { atMost, unit }: Pick<Rule, 'atMost' | 'unit'>): Unit[] {
  const units = new Map<string | number, Unit>();
  events.forEach((event, i) => {
    const key = unit === 'event' ? i : unit === 'session' ? event.session : `${event.session} ${event.utterance ?? ''}`;
    const bad = event.latencyMs > atMost ? 1 : 0;
    const known = units.get(key);
    if (!known) units.set(key, { atMs: event.atMs, bad, total: 1 });
    else {
      known.atMs = Math.min(known.atMs, event.atMs);
      known.bad += bad;
      known.total++;
    }
  });
  return [...units.values()];
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
