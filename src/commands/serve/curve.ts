import { deviceCurveFile } from '../../acoustic/calibrate/device-curve.ts';
import type { TunedDevice } from '../../acoustic/engine/device-tuning.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { readText } from '../../config/read-chunks.ts';
import { parseConfig } from '../../config/yaml.ts';
import { SpeechfbError } from '../../errors.ts';
import { defaultLimits, type Limits } from '../../server/limits.ts';
import { usableCores } from '../../usable-cores.ts';

export type CurveFlags = {
  curve?: string;
  /** True: the default file. */
  calibrate?: string | true;
  calibrateFor?: number;
  force?: true;
  json?: true;
};

/** What was measured of the device; `streams`: how many it held. */
export type DeviceCurve = { tuning: TunedDevice; streams: number };

/** @throws SpeechfbError `bad_flag` for a flag of --calibrate without it. */
export function checkCurveFlags({ calibrateFor, force, json }: CurveFlags): void {
  const alone = Object.entries({ '--calibrate-for': calibrateFor, '--force': force, '--json': json });
  for (const [name, value] of alone) {
    if (value !== undefined) throw new SpeechfbError('bad_flag', `${name} goes with --calibrate`);
  }
}

/** Errors: `file_not_found`, `bad_config`; `bad_flag` where the curve is of another model. */
export function readDeviceCurve(file: string, model: ModelPackage): DeviceCurve {
  const { device } = parseConfig(file, readText(file, 'measured curve', hint), deviceCurveFile);
  const own = `${model.name} ${model.version}`;
  if (device.model !== own) {
    throw new SpeechfbError('bad_flag', `--curve: ${file} was measured with ${device.model}; this server runs ${own}`, {
      hint,
    });
  }
  const { name, max_batch, group_steps, streams } = device;
  return { tuning: { device: name, maxBatch: max_batch, groupSteps: group_steps }, streams };
}

const hint = 'speechfb serve --calibrate FILE writes one on the machine that is to serve';

/**
 * The sessions to begin with: no more than the device held, nor than sockets and scoring are
 * guessed to carry, which the curve does not know.
 */
export function firstGuess(curve: DeviceCurve | undefined): Partial<Limits> {
  if (!curve) return {};
  const others = usableCores() * defaultLimits.sessionsACore;
  return { initialSessions: Math.max(1, Math.min(others, curve.streams)) };
}
