import type { LoadReport } from '../../results/report.ts';

/**
 * The report as `run.json` holds it: snake_case keys, a missing value or one that is infinite as
 * null (`never` beside it tells which). docs/loadtest/run-directory.md has every key.
 */
export function runJson(report: LoadReport): object {
  return snakeCased(report) as object;
}

/**
 * A value as our JSON documents hold it: snake_case keys, numbers to nine digits, missing and
 * infinite ones as null.
 */
export function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value === 'number') return Number.isFinite(value) ? rounded(value) : null;
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [snake(key), snakeCased(inner)]));
}

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Nine significant digits: a microsecond of a day. */
function rounded(value: number): number {
  return Number(value.toPrecision(9));
}
