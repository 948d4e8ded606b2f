import { z } from 'zod';
import { duration, integer, section, text, throughUnit } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { parseMebibytes } from '../../units.ts';

const point = section({
  sessions: integer(0, 1_000_000),
  /** The most that the process held in memory (RSS) with them, MiB. */
  peak: text('memory such as 412Mi')
    .transform(throughUnit(parseMebibytes))
    .refine((mebibytes) => mebibytes >= 1, { error: () => 'is less than 1Mi, which no process needs' }),
});

const curve = z
  .array(point, { error: (issue) => isNot(issue.input, 'a list of points {sessions, peak}') })
  .min(2, { error: () => 'needs two points at least, such as those of no session and of a hundred' })
  .superRefine((points, context) => {
    for (const [index, { sessions }] of points.entries())
      if (index > 0 && sessions <= points[index - 1]!.sessions)
        context.addIssue({
          code: 'custom',
          path: [index, 'sessions'],
          message: `${sessions} is not above ${points[index - 1]!.sessions}, the point before it`,
        });
  });

/** What a pod of each role holds in memory at rising numbers of sessions, as it was measured. */
export const podMemory = section({
  /** How long those who were measured spoke at a time: a gateway keeps the sound of open texts. */
  turn: duration(1000, 3_600_000).prefault('60s'),
  inference: curve.optional(),
  gateway: curve.optional(),
});

export type MemoryPoint = z.output<typeof point>;

/**
 * The most memory at so many sessions, MiB: what was measured up to the first point that has as
 * many, since a heap once grown seldom shrinks. Beyond the last point it goes on as steeply as from
 * the first to the last.
 */
export function peakMebibytes(points: readonly MemoryPoint[], sessions: number): number {
  const [first, last] = [points[0]!, points.at(-1)!];
  const reached = points.findIndex((one) => one.sessions >= sessions);
  const within = reached === -1 ? points : points.slice(0, reached + 1);
  const most = Math.max(...within.map(({ peak }) => peak));
  if (reached !== -1) return most;
  const slope = Math.max(0, (last.peak - first.peak) / (last.sessions - first.sessions));
  return most + slope * (sessions - last.sessions);
}
