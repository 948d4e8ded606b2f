import { dollars, whole } from '../../format.ts';
import type { SweepRow } from './sweep.ts';
import { label } from './timeline-svg.ts';

const width = 960;
const rowHeight = 34;
const left = 150;
const longest = 420;

/**
 * A bar a value: stream-minutes without feedback; beside it what a served minute cost and the
 * verdict.
 */
export function sweepSvg(key: string, rows: readonly SweepRow[]): string {
  const most = Math.max(1, ...rows.map(({ result }) => result.simulation.degraded_stream_minutes));
  const height = 90 + rows.length * rowHeight;
  const bars = rows.map(({ value, result: { simulation, verdict } }, index) => {
    const y = 70 + index * rowHeight;
    const { degraded_stream_minutes: degraded, cost } = simulation;
    const length = Math.max(1, (longest * degraded) / most);
    const price = cost.per_served_minute === null ? 'nothing served' : `${dollars(cost.per_served_minute)}/min served`;
    return [
      label(left - 12, y + 16, String(value), 'end'),
      `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="22" fill="#d9622b"/>`,
      label(left + length + 8, y + 16, whole(degraded), 'start'),
      label(width - 24, y + 16, verdict === 'none' ? price : `${price}, ${verdict}`, 'end'),
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="'PT Mono', monospace" font-size="12" fill="#333">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    label(24, 34, `stream-minutes without feedback, by ${key}`, 'start', 'font-size="17"'),
    ...bars,
    '</svg>\n',
  ].join('\n');
}
