/**
 * The last `width` values as blocks of eighths, scaled to the largest finite one and at least to
 * `least`; a full block for what never came, a blank for a moment without a value.
 */
export function sparkline(values: readonly (number | undefined)[], width: number, least = 1): string {
  const shown = values.slice(-width);
  const finite = shown.filter((value): value is number => value !== undefined && Number.isFinite(value));
  const most = finite.reduce((largest, value) => Math.max(largest, value), least);
  return shown.map((value) => (value === undefined ? ' ' : block(value / most))).join('');
}

/** A bar of `width` cells, `share` of them full. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

const blocks = '▁▂▃▄▅▆▇█';

function block(share: number): string {
  return blocks[Number.isFinite(share) ? Math.min(7, Math.floor(share * 8)) : 7]!;
}
