import { existsSync } from 'node:fs';
import { calibrate } from '../../acoustic/calibrate/calibrate.ts';
import { deviceCurve } from '../../acoustic/calibrate/device-curve.ts';
import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import { parseDevice } from '../../acoustic/onnx/device.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { calibrationText } from '../../report/capacity/calibration-text.ts';
import { interruptible } from '../interruption.ts';
import { printJson, say } from '../output.ts';
import { shippedPath } from '../package.ts';
import { writeResult } from '../run-output/outputs.ts';
import { printReport } from '../terminal.ts';
import type { ServeFlags } from './settings.ts';

/**
 * Measures how many live streams the device carries and writes the curve: 98 when no load was
 * measured, 99 when not even one stream is held within the deadline.
 */
export async function runCalibrate(flags: ServeFlags): Promise<ExitCode> {
  const file = flags.calibrate === true ? 'curve.json' : flags.calibrate!;
  const budgetMs = flags.calibrateFor ?? defaultMs;
  checkCalibrate(flags, file, budgetMs);
  const model = loadModelPackage(flags.model ?? shippedPath('models/en-learner'));
  const device = parseDevice(flags.device);
  const calibration = await interruptible((signal) => calibrate({ model, device, budgetMs, signal, say }));
  const curve = deviceCurve(calibration);
  if (flags.json) printJson(curve);
  else printReport(calibration, calibrationText);
  const measured = calibration.levels.length > 0;
  const written = measured ? await writeResult(file, curve) : true;
  if (calibration.interrupted) return exitCodes.interrupted;
  if (!calibration.levels.some(({ valid }) => valid)) return exitCodes.invalid;
  if (!written) return exitCodes.usage;
  return calibration.streams > 0 ? exitCodes.pass : exitCodes.missed;
}

/** @throws SpeechfbError `bad_flag`, `would_overwrite` before anything is measured. */
function checkCalibrate({ force, role, curve }: ServeFlags, file: string, budgetMs: number): void {
  if (role === 'gateway') throw new SpeechfbError('bad_flag', '--calibrate measures a model; a gateway runs none');
  if (curve !== undefined) throw new SpeechfbError('bad_flag', '--calibrate makes a curve and takes no --curve');
  if (budgetMs < leastMs || budgetMs > mostMs) {
    throw new SpeechfbError('bad_flag', `--calibrate-for: ${budgetMs / 1000}s is not allowed; allowed: 5s to 10m`);
  }
  if (existsSync(file) && !force) {
    throw new SpeechfbError('would_overwrite', `nothing was measured: ${file} is there already`, {
      hint: '--force writes over it; --calibrate FILE takes another name',
    });
  }
}

const defaultMs = 60_000;
const leastMs = 5_000;
const mostMs = 600_000;
