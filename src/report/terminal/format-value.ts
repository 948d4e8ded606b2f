import { dollars, formatMs } from '../../format.ts';
import type { ObjectiveVerdict } from '../../slo/objective/objective-verdict.ts';

/**
 * `87.4 ms`, `99.97 %`, `3`, `$0.0012/min`, `never`, `no data`: a value in its objective's unit.
 */
export function formatValue(value: number | undefined, unit: ObjectiveVerdict['unit']): string {
  if (value === undefined) return 'no data';
  if (unit === 'ms') return formatMs(value);
  if (unit === 'count') return String(value);
  if (unit === 'usd_per_minute') return Number.isFinite(value) ? `${dollars(value)}/min` : 'infinite';
  // Down, never up: 99.996 % of a 99.999 % promise must not read as 100 %. Far from a promise,
  // nobody reads the thousandths.
  const parts = value > 0.1 && value < 0.99 ? 10 : 1000;
  return `${Math.floor(value * 100 * parts + 1e-6) / parts} %`;
}
