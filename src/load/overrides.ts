import { SpeechfbError } from '../errors.ts';
import { flag, wholeNumber } from '../flag.ts';
import { parseDurationMs } from '../units.ts';
import { checkUrl, type LoadScenario } from './scenario.ts';

/** What the command line may say otherwise than the file, as text. */
export type Overrides = { url?: string; duration?: string; seed?: string };

/** The scenario with the overrides in place of its own values. */
export function withOverrides(scenario: LoadScenario, { url, duration, seed }: Overrides): LoadScenario {
  const { spec } = scenario;
  const changed = {
    ...spec,
    target: url === undefined ? spec.target : { url: checkUrl(url) },
    seed: seed === undefined ? spec.seed : flag('--seed', wholeNumber(0, 0xffffffff))(seed),
    duration: duration === undefined ? spec.duration : flag('--duration', parseDurationMs)(duration),
  };
  if (changed.duration <= spec.load.ramp) {
    const message = `--duration ${duration} is not longer than the scenario's ramp of ${spec.load.ramp} ms`;
    throw new SpeechfbError('bad_flag', message);
  }
  return { ...scenario, spec: changed };
}
