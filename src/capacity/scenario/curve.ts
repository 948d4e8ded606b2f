import { z } from 'zod';
import { isNot, shown } from '../../config/sentences.ts';
import { fitUsl, type Usl, uslPeak } from './usl.ts';

const above0 = (what: string) => {
  const error = (issue: { input?: unknown }) => isNot(issue.input, `${what} above 0`);
  return z.number({ error }).positive({ error });
};

/**
 * What a load test measured at rising numbers of streams on one pod. A percentile is a key such as
 * `p95_ms`, null when that much feedback never came; `throughput` is audio seconds scored a second,
 * if it was measured; `valid: false` marks a load that proves nothing, such as one that the
 * generator could not keep. Other keys are kept for whoever wrote them.
 */
export const curvePoint = z.looseObject({
  streams: above0('a number of streams'),
  throughput: above0('a number').optional(),
  valid: z.boolean({ error: (issue) => isNot(issue.input, 'true or false') }).optional(),
});

/**
 * The file: `{points: [...]}`, as JSON or YAML; `kind` and `version` need not be there, but name no
 * other file.
 */
const curveFile = z.looseObject({
  kind: z.literal('CapacityCurve').optional(),
  version: z.literal(1).optional(),
  points: z
    .array(curvePoint, { error: (issue) => isNot(issue.input, 'a list of points {streams, p95_ms}') })
    .min(1, { error: 'is empty: a curve without points measures nothing' }),
});

/** A curve's file that must answer a limit. */
export function curveFileFor(limit: Limit) {
  return curveFile.superRefine(({ points }, context) => {
    for (const { index, message } of curveProblems(points, limit)) {
      context.addIssue({ code: 'custom', path: ['points', index], message });
    }
  });
}

export type CurvePoint = z.output<typeof curvePoint>;

export type Limit = { percentile: number; valueMs: number };

/** How many streams a pod carries by a measured curve, and how that was decided. */
export type StreamsByCurve = {
  /**
   * The most streams measured within the limit before the first measurement above it; 0 when none
   * was.
   */
  streams: number;
  latencyMs: number | undefined;
  /**
   * The first measurement above the limit; undefined when the curve never reached it, so that more
   * may be possible.
   */
  firstMiss: { streams: number; latencyMs: number } | undefined;
  usl: Usl | undefined;
  peak: { load: number; throughput: number } | undefined;
};

/** The key that a percentile has in a point: `p95_ms`, `p99.9_ms`. */
function percentileKey(percentile: number): string {
  return `p${percentile}_ms`;
}

/**
 * Streams a pod at the percentile that the limit names. Nothing is read between or beyond
 * measurements: latency bends sharply where a pod fills, so only loads that were really carried
 * count. A later point that passes again does not.
 */
export function streamsByCurve(points: readonly CurvePoint[], limit: Limit): StreamsByCurve {
  const sorted = points.filter(({ valid }) => valid !== false).sort((a, b) => a.streams - b.streams);
  const latency = (point: CurvePoint) =>
    (point[percentileKey(limit.percentile)] as number | null) ?? Number.POSITIVE_INFINITY;
  const miss = sorted.find((point) => latency(point) > limit.valueMs);
  const kept = sorted.filter((point) => !miss || point.streams < miss.streams).at(-1);
  const measured = sorted.flatMap(({ streams, throughput }) =>
    throughput === undefined ? [] : [{ load: streams, throughput }],
  );
  const usl = fitUsl(measured);
  return {
    streams: kept ? Math.floor(kept.streams) : 0,
    latencyMs: kept ? latency(kept) : undefined,
    firstMiss: miss ? { streams: miss.streams, latencyMs: latency(miss) } : undefined,
    usl,
    peak: usl ? uslPeak(usl) : undefined,
  };
}

/**
 * What keeps a curve from answering the limit: a sentence for each point that lacks the percentile
 * or whose value is none.
 */
export function curveProblems(points: readonly CurvePoint[], limit: Limit): { index: number; message: string }[] {
  const key = percentileKey(limit.percentile);
  if (points.length > 0 && points.every(({ valid }) => valid === false)) {
    return [{ index: 0, message: 'is not valid, nor is any other point: nothing was measured' }];
  }
  return points.flatMap((point, index) => {
    const value = point[key];
    if (value === null || point.valid === false) return [];
    if (value === undefined) {
      const known = Object.keys(point).filter((name) => /^p[\d.]+_ms$/.test(name));
      return [{ index, message: `has no ${key}; it has ${known.join(', ') || 'no percentile'}` }];
    }
    if (typeof value === 'number' && value >= 0) return [];
    return [{ index, message: `${key}: ${shown(value)} is not a number of ms from 0` }];
  });
}
