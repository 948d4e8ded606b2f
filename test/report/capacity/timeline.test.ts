import { describe, expect, it } from 'vitest';
import type { TimelinePoint } from '../../../src/capacity/simulation/timeline.ts';
import { Timeline } from '../../../src/capacity/simulation/timeline.ts';
import { byteRate, count, dollars, figure, percent, whole } from '../../../src/format.ts';
import { renderTimeline, timeLabel } from '../../../src/report/capacity/timeline.ts';

const point = (at_ms: number, more: Partial<TimelinePoint> = {}): TimelinePoint => ({
  at_ms,
  wanted: 50,
  in_pods: 50,
  managed: 0,
  waiting: 0,
  capacity: 100,
  ready: 10,
  pods: 10,
  ...more,
});

describe('a timeline in text', () => {
  const minutes = Array.from({ length: 72 }, (_, minute) => point(minute * 60_000));
  const lines = (points: TimelinePoint[]) => renderTimeline(points, 72 * 60_000).split('\n');

  it('draws who is served up to half of the height, and capacity at its top', () => {
    const [, top, , , , , half] = lines(minutes);
    expect(top).toBe(`      100 │${'─'.repeat(72)}`);
    expect(half).toBe(`       50 │${'█'.repeat(72)}`);
  });

  it('shades who waits', () => {
    const busy = minutes.map((each, index) => (index < 36 ? each : { ...each, wanted: 100, waiting: 50 }));
    const [, top, , , , , half] = lines(busy);
    expect(top).toBe(`      100 │${'─'.repeat(36)}${'░'.repeat(36)}`);
    expect(half).toContain('█'.repeat(72));
  });

  it('shows a moment of waiting in a long run', () => {
    const day = Array.from({ length: 480 }, (_, i) =>
      point(i * 180_000, i === 200 ? { wanted: 100, waiting: 50 } : {}),
    );
    expect(renderTimeline(day, 86_400_000).match(/░/g)).not.toBeNull();
  });

  it.each([
    [90_000, 120_000, '90 s'],
    [1_110_000, 2_220_000, '18.5 min'],
    [43_200_000, 86_400_000, '12 h'],
    [0, 86_400_000, '0 h'],
  ])('%i ms of %i are %s', (ms, duration, expected) => expect(timeLabel(ms, duration)).toBe(expected));
});

it('a timeline keeps the worst moment of each stretch', () => {
  const timeline = new Timeline(1000, 2);
  for (const [at_ms, waiting] of [
    [0, 0],
    [100, 7],
    [200, 3],
    [500, 0],
    [900, 1],
  ] as const)
    timeline.add(point(at_ms, { waiting }));
  expect(timeline.points().map(({ at_ms }) => at_ms)).toEqual([100, 900]);
});

it.each([
  [whole(128_000_000), '128,000,000'],
  [count(1, 'pod'), '1 pod'],
  [count(67, 'pod'), '67 pods'],
  [byteRate(170_400_000), '170 MB/s'],
  [byteRate(21_300), '21.3 kB/s'],
  [figure(24_158.4), '24,160'],
  [figure(0.0063033), '0.006303'],
  [dollars(1_234_567.891), '$1,234,567.89'],
  [dollars(0.0000508), '$0.0000508'],
  [percent(0.2793), '28 %'],
  [percent(0.0125), '1.3 %'],
  [percent(0), '0 %'],
  [dollars(0.000433), '$0.000433'],
  [dollars(228.8), '$228.80'],
  [dollars(0.0063033), '$0.00630'],
  [dollars(0), '$0'],
])('figures for people: %s', (found, expected) => expect(found).toBe(expected));
