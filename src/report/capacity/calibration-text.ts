import { formatMs } from '../../format.ts';
import { fitTable } from '../terminal/fit-table.ts';
import type { Paint } from '../terminal/paint.ts';

/** What a device was found to carry; times in ms. */
export type CalibrationShown = {
  device: string;
  model: { name: string; version: string };
  deadlineMs: number;
  times: readonly { batch: number; steps: number; ms: number }[];
  choice: { maxBatch: number; groupSteps: number; streams: number; run: { ms: number } };
  levels: readonly { streams: number; p50Ms: number; p95Ms: number; throughput: number; valid: boolean }[];
  streams: number;
  isOpenEnded: boolean;
  interrupted: boolean;
  unmeasured: readonly string[];
};

/**
 * How long runs take, what live streams felt, and what follows, for a terminal of so many columns.
 */
export function calibrationText(shown: CalibrationShown, paint: Paint, columns?: number): string {
  const { device, model, deadlineMs, levels } = shown;
  const live = `live streams: from their last sound to its answer, which is to be ${deadlineMs} ms at p95`;
  const parts = [
    `${model.name} ${model.version} on ${device}: how long a run takes, by streams and steps of each`,
    runsTable(shown, columns),
    choiceLines(shown),
    ...(levels.length > 0 ? [live, levelsTable(shown, paint, columns)] : []),
    verdict(shown, paint),
    ['not measured:', ...shown.unmeasured.map((sentence) => `  ${sentence}`)].join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

function runsTable({ times }: CalibrationShown, columns: number | undefined): string {
  const groups = [...new Set(times.map(({ steps }) => steps))];
  const batches = [...new Set(times.map(({ batch }) => batch))];
  const head = ['streams', ...groups.map((steps) => (steps === 1 ? '1 step' : `${steps} steps`))];
  const rows = batches.map((batch) => {
    const cells = groups.map((steps) => times.find((time) => time.batch === batch && time.steps === steps));
    return [`${batch}`, ...cells.map((time) => (time ? formatMs(time.ms) : ''))];
  });
  return fitTable(head, rows, { columns, left: [] });
}

function choiceLines({ choice, deadlineMs }: CalibrationShown): string {
  const { maxBatch, groupSteps, streams, run } = choice;
  const group = groupSteps === 1 ? 'step by step' : `${groupSteps} steps at a time`;
  const chosen = `chosen: up to ${maxBatch} streams a run, ${group} under load (${formatMs(run.ms)})`;
  const most = `runs alone, four fifths of the time, would carry ${streams} streams`;
  return [chosen, streams > 0 ? most : `no run is over within half of ${deadlineMs} ms`].join('\n');
}

function levelsTable({ levels, deadlineMs }: CalibrationShown, paint: Paint, columns: number | undefined): string {
  const rows = levels.map(({ streams, p50Ms, p95Ms, throughput, valid }) => {
    const held = p95Ms <= deadlineMs ? paint.good('held') : paint.bad('missed');
    const outcome = valid ? held : paint.warn('not valid');
    return [`${streams}`, delay(p50Ms), delay(p95Ms), throughput.toFixed(1), outcome];
  });
  return fitTable(['streams', 'p50', 'p95', 'audio s/s', 'outcome'], rows, { columns, left: ['outcome'] });
}

function delay(ms: number): string {
  return Number.isFinite(ms) ? formatMs(Math.max(0, ms)) : 'never';
}

function verdict({ streams, isOpenEnded, interrupted, levels, device }: CalibrationShown, paint: Paint): string {
  if (interrupted) return paint.warn('interrupted: what is above is what was measured until then');
  if (!levels.some(({ valid }) => valid)) return paint.warn('nothing is known: no load was measured');
  if (streams === 0) return paint.bad(`${device} holds not one live stream within the deadline`);
  const least = isOpenEnded ? 'at least ' : '';
  return paint.good(`${device} carries ${least}${streams} live streams`);
}
