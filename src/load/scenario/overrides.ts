import { resolve } from 'node:path';
import type { LinkTransport } from '../../client/link/quic-way.ts';
import { readToken } from '../../client/token.ts';
import { checkAnyUrl, checkUrl } from '../../client/url.ts';
import { inUnits } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { flag, wholeNumber } from '../../flag.ts';
import { formatMs } from '../../format.ts';
import { parseDurationMs } from '../../units.ts';
import { entriesOf } from './faults-schema.ts';
import { scaleToDuration } from './scale-to-duration.ts';
import { durationLimits, type LoadScenario } from './scenario.ts';
import { transportProblem } from './target-schema.ts';

/** What the command line may say otherwise than the file, as text. */
export type Overrides = {
  url?: string;
  duration?: string;
  seed?: string;
  tokenFile?: string;
  transport?: LinkTransport;
};

/**
 * The scenario with the overrides in place of its own values, and what the reader should know about
 * them, in sentences.
 */
export function withOverrides(scenario: LoadScenario, given: Overrides): { scenario: LoadScenario; notes: string[] } {
  const { spec } = scenario;
  const seed = given.seed === undefined ? spec.seed : flag('--seed', wholeNumber(0, 0xffffffff))(given.seed);
  const changed = { ...scenario, spec: { ...spec, seed, target: targetOf(scenario, given) } };
  if (given.duration === undefined) return { scenario: changed, notes: [] };
  const durationMs = flag('--duration', parseDurationMs)(given.duration);
  checkDuration(scenario, given.duration, durationMs);
  return {
    scenario: { ...changed, spec: scaleToDuration(changed.spec, durationMs) },
    notes: notesOf(scenario, durationMs),
  };
}

function targetOf(scenario: LoadScenario, given: Overrides): LoadScenario['spec']['target'] {
  const { transport = scenario.spec.target.transport, url } = given;
  const changed = { ...elsewhere(scenario, given), transport };
  const problem = given.transport === undefined && url === undefined ? undefined : transportProblem(changed);
  if (problem === undefined) return changed;
  throw new SpeechfbError('bad_flag', `${given.transport === undefined ? '--url' : '--transport'}: ${problem}`);
}

function elsewhere({ spec, at }: LoadScenario, { url, tokenFile }: Overrides): LoadScenario['spec']['target'] {
  if (tokenFile !== undefined) flag('--token-file', readToken)(tokenFile);
  const { token: _token, ...others } = spec.target;
  const base = tokenFile === undefined ? spec.target : { ...others, tokenFile: resolve(tokenFile) };
  if (url === undefined) return base;
  const problems = spec.faults.flatMap((entry, index) =>
    entriesOf(entry).flatMap(([{ key, target }]) =>
      target === 'server'
        ? [{ where: at(['spec', 'faults', index, key]), message: `${key} needs the embedded server` }]
        : [],
    ),
  );
  if (problems.length > 0) {
    const message = '--url: the scenario has faults that only a server of its own can be made to suffer';
    throw new SpeechfbError('bad_flag', message, { problems });
  }
  const { embedded: _, ...target } = base;
  const check = spec.target.protocol === 'speechfb' ? checkUrl : checkAnyUrl;
  // Consent is for the host that the file names, and so are other servers of its service.
  const { consent: _consent, alsoAt: _others, ...rest } = target;
  return { ...rest, url: flag('--url', check)(url) };
}

function checkDuration({ spec }: LoadScenario, given: string, durationMs: number): void {
  const { ramp = 0, phases } = spec.load;
  if (!phases && durationMs <= ramp) {
    const message = `--duration ${given} is not longer than the scenario's ramp of ${formatMs(ramp)}`;
    throw new SpeechfbError('bad_flag', message);
  }
  const { leastMs, mostMs } = durationLimits;
  if (durationMs >= leastMs && durationMs <= mostMs) return;
  const wrong = durationMs < leastMs ? 'short' : 'long';
  const allowed = `${inUnits(leastMs)} to ${inUnits(mostMs)}`;
  throw new SpeechfbError('bad_flag', `--duration ${given} is too ${wrong}; allowed: ${allowed}`);
}

function notesOf({ spec }: LoadScenario, durationMs: number): string[] {
  const moved = [
    ...(spec.load.phases ? ['phases'] : []),
    ...(spec.faults.length > 0 ? ['faults'] : []),
    ...(spec.warmup > 0 ? ['warm-up'] : []),
  ];
  if (moved.length === 0 || durationMs === spec.duration) return [];
  const factor = Number((durationMs / spec.duration).toPrecision(3));
  return [
    `--duration: the ${moved.join(', ')} keep their places in ${formatMs(durationMs)} instead of ${formatMs(spec.duration)} (times ${factor})`,
  ];
}
