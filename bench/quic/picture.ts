import type { Way } from './measure.ts';
import type { Range } from './predict.ts';

/** What the picture shows of a way through a network; ms, Infinity: never. */
export type Drawn = {
  way: Way;
  network: string;
  measured: Record<'p50' | 'p95' | 'p99' | 'never', number>;
  /** Absent: the simulator does not know. */
  predicted?: Record<'p50' | 'p95' | 'p99' | 'never', Range>;
};

const width = 960;
const left = 230;
const right = 820;
const rowHeight = 24;
const groupGap = 14;
const top = 86;
const colours: Record<Way, string> = { websocket: '#8a8f98', 'quic-stream': '#2f6fb2', 'quic-datagram': '#d9622b' };
const quantiles = ['p50', 'p95', 'p99'] as const;
/** More would write over one another. */
const mostTicks = 10;

/**
 * A row a way, in groups by network: measured p50, p95 and p99 as dots, the simulator's range of each
 * as a bar behind it, and the share that never came.
 */
export function quicPicture(rows: readonly Drawn[], title: string): string {
  const networks = [...new Set(rows.map(({ network }) => network))];
  const height = top + rows.length * rowHeight + networks.length * groupGap + 40;
  const most = Math.max(...rows.flatMap(valuesOf));
  const apartMs = most > mostTicks * 50 ? 100 : 50;
  const end = Math.ceil(most / apartMs);
  const x = (ms: number) => left + ((right - left) * ms) / (end * apartMs);
  const ticks = Array.from({ length: end + 1 }, (_, index) => index * apartMs);
  const grid = ticks.map(
    (ms) =>
      `<line x1="${x(ms).toFixed(1)}" x2="${x(ms).toFixed(1)}" y1="${top - 12}" y2="${height - 34}" stroke="#e4e4e4"/>${label(x(ms), height - 16, `${ms} ms`, 'middle')}`,
  );
  const drawn = rows.map((row, index) => drawRow(row, rowTop(index, networks.indexOf(row.network)), x));
  const heads = networks.map((name, group) => {
    const index = rows.findIndex(({ network }) => network === name);
    return label(20, rowTop(index, group) + 4, name, 'start', 'font-weight="bold"');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="'PT Mono', monospace" font-size="12" fill="#333" role="img">`,
    `<title>${title}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    label(20, 30, title, 'start', 'font-size="16"'),
    label(
      20,
      52,
      rows.some(({ predicted }) => predicted)
        ? 'dots: p50, p95, p99 measured, one way; bars: where the simulator has them in 95 % of such runs'
        : 'dots: p50, p95, p99 measured',
      'start',
    ),
    ...grid,
    ...heads,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function drawRow({ way, measured, predicted }: Drawn, y: number, x: (ms: number) => number): string {
  const colour = colours[way];
  const bars = quantiles.map((name) => {
    if (!predicted) return '';
    const { low, high } = predicted[name];
    if (!Number.isFinite(high)) return '';
    const from = x(low) - 3;
    return `<rect x="${from.toFixed(1)}" y="${y - 7}" width="${(x(high) + 3 - from).toFixed(1)}" height="14" fill="${colour}" opacity=".25"/>`;
  });
  const dots = quantiles.map((name) =>
    Number.isFinite(measured[name])
      ? `<circle cx="${x(measured[name]).toFixed(1)}" cy="${y}" r="4" fill="${colour}"/>`
      : '',
  );
  const never = measured.never > 0 ? `never: ${measured.never.toFixed(1)} %` : '';
  return [label(left - 12, y + 4, way, 'end'), ...bars, ...dots, label(right + 12, y + 4, never, 'start')].join('');
}

function valuesOf({ measured, predicted }: Drawn): number[] {
  return quantiles.flatMap((name) => [measured[name], predicted?.[name].high ?? 0]).filter(Number.isFinite);
}

function rowTop(index: number, group: number): number {
  return top + index * rowHeight + group * groupGap;
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end', more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" ${more}>${text}</text>`;
}
