import type { CapacityResult } from '../../capacity/plan/result.ts';
import type { TimelinePoint } from '../../capacity/simulation/timeline.ts';
import { percent, whole } from '../../format.ts';
import { xmlText } from '../export/xml-text.ts';
import { timeLabel } from './timeline.ts';

const size = { width: 960, height: 520 };
const plot = { left: 76, right: 24, top: 76, bottom: 360 };
const podPlot = { top: 400, bottom: 476 };
const colour = { pods: '#2f6db5', managed: '#7fb2e5', waiting: '#d9622b', line: '#1c1c1c', text: '#333', grid: '#ddd' };

/**
 * The simulated run as one SVG: who got feedback from where, who waited, what the pods carried, and
 * the pods below.
 */
export function timelineSvg({ details, simulation }: CapacityResult): string {
  const { timeline: points, duration_ms } = simulation;
  const x = (point: TimelinePoint) => plot.left + ((size.width - plot.left - plot.right) * point.at_ms) / duration_ms;
  const top = niceTop(Math.max(1, ...points.map(({ wanted, capacity }) => Math.max(wanted, capacity))));
  const topPods = niceTop(Math.max(1, ...points.map(({ pods }) => pods)));
  const y = (value: number) => plot.bottom - ((plot.bottom - plot.top) * value) / top;
  const yPods = (value: number) => podPlot.bottom - ((podPlot.bottom - podPlot.top) * value) / topPods;
  const area = (low: (p: TimelinePoint) => number, high: (p: TimelinePoint) => number, fill: string) =>
    `<path d="${path(points, x, (p) => y(high(p)), 'M')}${path([...points].reverse(), x, (p) => y(low(p)), 'L')}Z" fill="${fill}"/>`;
  const none = () => 0;
  const inPods = (p: TimelinePoint) => p.in_pods;
  const served = (p: TimelinePoint) => p.in_pods + p.managed;
  const outcome = `${whole(simulation.degraded_stream_minutes)} stream-minutes (${percent(simulation.degraded_share)}) without feedback, seed ${simulation.seed}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" font-family="'PT Mono', monospace" font-size="12" fill="${colour.text}">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    label(plot.left, 28, `${details.name}: ${outcome}`, 'start', 'font-size="17" font-weight="bold"'),
    legend(),
    ...[0, 0.25, 0.5, 0.75, 1].map((share) => gridLine(y(top * share), whole(top * share))),
    area(none, inPods, colour.pods),
    area(inPods, served, colour.managed),
    area(served, (p) => p.wanted, colour.waiting),
    `<path d="${steps(points, x, (p) => y(p.capacity))}" fill="none" stroke="${colour.line}" stroke-width="1.6" stroke-dasharray="5 3"/>`,
    ...[0, 1].map((share) => gridLine(yPods(topPods * share), whole(topPods * share))),
    `<path d="${steps(points, x, (p) => yPods(p.pods))}" fill="none" stroke="${colour.managed}" stroke-width="2"/>`,
    `<path d="${steps(points, x, (p) => yPods(p.ready))}" fill="none" stroke="${colour.pods}" stroke-width="2"/>`,
    label(plot.left, podPlot.top - 10, 'pods ordered (light) and ready (dark)', 'start'),
    ...[0, 0.25, 0.5, 0.75, 1].map((share) =>
      label(
        plot.left + (size.width - plot.left - plot.right) * share,
        500,
        timeLabel(duration_ms * share, duration_ms),
        'middle',
      ),
    ),
    '</svg>\n',
  ].join('\n');
}

/** Text at a place of an SVG document. */
export function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end', more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" ${more}>${xmlText(text)}</text>`;
}

function legend(): string {
  const entries = [
    ['own pods', colour.pods],
    ['managed', colour.managed],
    ['waiting, no feedback', colour.waiting],
  ] as const;
  const boxes = entries.map(([text, fill], index) => {
    const left = plot.left + index * 130;
    return `<rect x="${left}" y="44" width="12" height="12" fill="${fill}"/>${label(left + 18, 55, text, 'start')}`;
  });
  const left = plot.left + 440;
  const dashes = `<path d="M${left} 50h26" stroke="${colour.line}" stroke-width="1.6" stroke-dasharray="5 3"/>`;
  return `${boxes.join('')}${dashes}${label(left + 34, 55, 'what the ready pods carry', 'start')}`;
}

function gridLine(y: number, text: string): string {
  const line = `<path d="M${plot.left} ${round(y)}H${size.width - plot.right}" stroke="${colour.grid}"/>`;
  return line + label(plot.left - 8, y + 4, text, 'end');
}

type Place = (point: TimelinePoint) => number;

function path(points: readonly TimelinePoint[], x: Place, y: Place, first: 'M' | 'L'): string {
  return points.map((point, index) => `${index === 0 ? first : 'L'}${round(x(point))} ${round(y(point))}`).join('');
}

/** Pods come and go at once: level, then straight up or down. */
function steps(points: readonly TimelinePoint[], x: Place, y: Place): string {
  return points
    .map((point, index) =>
      index === 0 ? `M${round(x(point))} ${round(y(point))}` : `H${round(x(point))}V${round(y(point))}`,
    )
    .join('');
}

/** The next round number: a short factor times a power of ten. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((nice) => nice >= value)!;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
