import { percent } from '../format.ts';
import { answerName, type Measurements, quantile } from '../metrics/definitions.ts';
import type { FaultRecord } from './fault-record.ts';
import type { GeneratorHealth } from './generator-health.ts';

/** A condition on the generator, without which no measurement of the run means anything. */
export type ValidityCheck = { check: string; ok: boolean; detail: string };

/**
 * Lateness beyond which the load was not the one that was planned, and the share of its core that a
 * generator may use. What has come is read when nothing is due, so a generator at its end may send
 * on time and read late.
 */
const validityLimits = { latenessP99Ms: 10, busy: 0.8, waited: 0.5, loopDelayP99Ms: 10 } as const;

/**
 * Judges the generators, not the server: did they speak on time, had they room to, and was anything
 * measured at all?
 */
export function checkValidity(
  measured: Measurements,
  generators: readonly GeneratorHealth[],
  faults: readonly FaultRecord[],
): ValidityCheck[] {
  const { distributions } = measured;
  const { samples } = distributions[answerName((name) => distributions[name].samples)];
  const lost = generators.filter((generator) => generator.lost !== undefined);
  return [
    lateness('send lateness', measured, 'send_lateness', 'no frame was sent'),
    ...(measured.distributions.shaping_lateness.samples > 0
      ? [lateness('shaping lateness', measured, 'shaping_lateness', '')]
      : []),
    {
      check: 'generators busy',
      ok: generators.every((one) => one.busy <= validityLimits.busy && !starved(one) && !stuck(one)),
      detail: busyDetail(generators),
    },
    {
      check: 'generators alive',
      ok: lost.length === 0,
      detail:
        lost.length === 0
          ? `${generators.length} of ${generators.length}`
          : lost.map(({ learners, lost: why }) => `one with ${learners} learners ended early: ${why}`).join('; '),
    },
    ...(faults.length > 0 ? [faultCheck(faults)] : []),
    { check: 'feedback due', ok: samples > 0, detail: `${samples} times` },
  ];
}

function lateness(
  check: string,
  measured: Measurements,
  name: 'send_lateness' | 'shaping_lateness',
  none: string,
): ValidityCheck {
  const lateMs = quantile(measured.distributions[name], 0.99);
  return {
    check,
    ok: lateMs === undefined || lateMs <= validityLimits.latenessP99Ms,
    detail: lateMs === undefined ? none : `p99 ${lateMs.toFixed(1)} ms, at most ${validityLimits.latenessP99Ms} ms`,
  };
}

function starved({ waited }: GeneratorHealth): boolean {
  return waited !== undefined && waited > validityLimits.waited;
}

function stuck({ loopDelayP99Ms }: GeneratorHealth): boolean {
  return loopDelayP99Ms > validityLimits.loopDelayP99Ms;
}

function busyDetail(generators: readonly GeneratorHealth[]): string {
  const worst = [...generators].sort((a, b) => b.busy - a.busy)[0];
  if (!worst) return 'there was none';
  const of = generators.length > 1 ? `the busiest of ${generators.length}: ` : '';
  const { busy, waited, loopDelayP99Ms } = validityLimits;
  const parts = [
    `${percent(worst.busy)} of its event loop, at most ${percent(busy)}`,
    `timers p99 ${worst.loopDelayP99Ms.toFixed(1)} ms late, at most ${loopDelayP99Ms} ms`,
    ...(worst.waited === undefined
      ? []
      : [`waited for a core ${percent(worst.waited)} of the time, at most ${percent(waited)}`]),
    `used ${percent(worst.cpu)} of a core`,
  ];
  return of + parts.join('; ');
}

/** A fault that did not happen was not endured. */
function faultCheck(faults: readonly FaultRecord[]): ValidityCheck {
  const failed = faults.filter(({ problem, affected }) => problem !== undefined || affected?.learners === 0);
  const why = failed.map(({ kind, problem }) => `${kind}: ${problem ?? 'none of its learners was connected'}`);
  return {
    check: 'faults happened',
    ok: failed.length === 0,
    detail: failed.length === 0 ? `${faults.length} of ${faults.length}` : why.join('; '),
  };
}
