import type { SkewTally } from './clock-skew.ts';
import { type RawSpan, spansFault, stagesOfSpans } from './spans.ts';
import type { TraceRecord } from './table.ts';

/** A line's JSON value as trace files write it; see `TraceLineReader`. */
export type RawRecord = {
  at_ms?: number | null;
  session?: string;
  profile?: string;
  language?: string;
  device?: string;
  total_ms?: number | null;
  stages?: Record<string, number>;
  spans?: RawSpan[];
};

/** What is wrong with one key of a record; `key` is empty when it is no record at all. */
export type RecordFault = { key: string; message: string };

/**
 * Whether the value is a record without a fault: what a good file asks of every line, so it makes
 * no garbage.
 */
export function isRecord(value: unknown): value is RawRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { stages, spans, total_ms, at_ms, session, profile, language, device } = value as Record<string, unknown>;
  if (spans !== undefined || typeof stages !== 'object' || stages === null || Array.isArray(stages)) return false;
  for (const name in stages) if (!isDuration((stages as Record<string, unknown>)[name])) return false;
  if (total_ms !== undefined && total_ms !== null && !isDuration(total_ms)) return false;
  return isTime(at_ms) && isLabel(session) && isLabel(profile) && isLabel(language) && isLabel(device);
}

/** Every fault of a line's value, in the order in which a reader would look. */
export function faultsOf(value: unknown): RecordFault[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = `${shown(value)} is not a trace record; write {"total_ms": 412.5, "stages": {"asr": 170}}`;
    return [{ key: '', message }];
  }
  const record = value as Record<string, unknown>;
  const total = record.total_ms;
  const faults = [...stagesFaults(record)];
  if (total !== undefined && total !== null && !isDuration(total)) {
    const message = `total_ms: ${shown(total)} is not a duration in ms, 0 or more; null is "never came"`;
    faults.push({ key: 'total_ms', message });
  }
  if (!isTime(record.at_ms))
    faults.push({ key: 'at_ms', message: `at_ms: ${shown(record.at_ms)} is not a time in ms` });
  for (const key of ['session', 'profile', 'language', 'device']) {
    if (!isLabel(record[key])) faults.push({ key, message: `${key}: ${shown(record[key])} is not text` });
  }
  return faults;
}

/** A faultless record, its spans turned into stages; `skew` counts those that had to be moved. */
export function recordOf(raw: RawRecord, line: number, skew: SkewTally): TraceRecord {
  const path = raw.stages ? undefined : stagesOfSpans(raw.spans ?? []);
  if (path) skew.add(path.shifts);
  const stages = raw.stages ?? path?.stages ?? {};
  return {
    totalMs: raw.total_ms === null ? Number.POSITIVE_INFINITY : (raw.total_ms ?? path?.totalMs ?? sumOf(stages)),
    stages,
    atMs: raw.at_ms ?? undefined,
    session: raw.session,
    labels: raw as TraceRecord['labels'],
    line,
  };
}

function stagesFaults({ stages, spans }: Record<string, unknown>): RecordFault[] {
  if (stages === undefined && spans !== undefined) {
    const message = spansFault(spans);
    return message === undefined ? [] : [{ key: 'spans', message }];
  }
  if (stages === undefined) return [{ key: '', message: 'has no "stages", the durations in ms by stage, nor "spans"' }];
  if (typeof stages !== 'object' || stages === null || Array.isArray(stages)) {
    return [{ key: 'stages', message: `stages: ${shown(stages)} is not an object of stage durations in ms` }];
  }
  return Object.entries(stages)
    .filter(([, ms]) => !isDuration(ms))
    .map(([key, ms]) => ({ key, message: `stages.${key}: ${shown(ms)} is not a duration in ms, 0 or more` }));
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

function isTime(value: unknown): boolean {
  return value === undefined || value === null || Number.isFinite(value);
}

function isLabel(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

function sumOf(stages: Record<string, number>): number {
  let sum = 0;
  for (const name in stages) sum += stages[name]!;
  return sum;
}

function shown(value: unknown): string {
  // JSON has no word for what 1e999 becomes.
  const json = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return json.length > 40 ? `${json.slice(0, 37)}...` : json;
}
