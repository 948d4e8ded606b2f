import { z } from 'zod';
import { oneOf } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { groupSizes } from '../engine/device-tuning.ts';
import { devices } from '../onnx/device.ts';
import { batchSizes } from '../onnx/shapes.ts';
import type { Calibration } from './calibrate.ts';

/**
 * A curve's file: what `speechfb capacity` reads of any, and what `serve --curve` needs beside it.
 */
export function deviceCurve(calibration: Calibration): object {
  const { device, model, deadlineMs, times, choice, levels, streams, isOpenEnded, unmeasured } = calibration;
  return {
    kind: 'CapacityCurve',
    version: 1,
    measured: `speechfb serve --calibrate of ${model.name} ${model.version} on ${device}: the model alone, no sockets and no scoring`,
    device: {
      name: device,
      model: `${model.name} ${model.version}`,
      max_batch: choice.maxBatch,
      group_steps: choice.groupSteps,
      deadline_ms: deadlineMs,
      streams,
      more_may_be_possible: isOpenEnded,
    },
    points: levels.toSorted((a, b) => a.streams - b.streams).map(pointOf),
    steps: times.map(({ batch, steps, ms }) => ({ batch, steps, ms: rounded(ms) })),
    not_measured: unmeasured,
  };
}

function pointOf({ streams, p50Ms, p95Ms, throughput, valid }: Calibration['levels'][number]): object {
  const told = (ms: number) => (Number.isFinite(ms) ? rounded(ms) : null);
  const carried = throughput > 0 ? { throughput: rounded(throughput) } : {};
  return { streams, p50_ms: told(p50Ms), p95_ms: told(p95Ms), ...carried, valid };
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

const wholeFrom0 = z
  .number({ error: (issue) => isNot(issue.input, 'a whole number from 0') })
  .int({ error: (issue) => isNot(issue.input, 'a whole number from 0') })
  .min(0, { error: (issue) => isNot(issue.input, 'a whole number from 0') });
const oneOfNumbers = (numbers: readonly number[]) => {
  const error = (issue: { input?: unknown }) => isNot(issue.input, `one of ${numbers.join(', ')}`);
  return z.number({ error }).refine((value) => numbers.includes(value), { error });
};

/** What `serve` takes of a curve's file: how the device is driven, and how many streams it held. */
export const deviceCurveFile = z.looseObject({
  kind: z.literal('CapacityCurve', { error: (issue) => isNot(issue.input, 'CapacityCurve') }),
  version: z.literal(1, { error: (issue) => isNot(issue.input, '1') }),
  device: z.looseObject(
    {
      name: oneOf(devices.filter((device) => device !== 'auto')),
      model: z.string({ error: (issue) => isNot(issue.input, 'the name of a model') }),
      max_batch: oneOfNumbers(batchSizes),
      group_steps: oneOfNumbers(groupSizes),
      streams: wholeFrom0,
    },
    { error: 'is not there: this curve is not one of serve --calibrate' },
  ),
});
