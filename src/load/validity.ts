import { type Measurements, quantile } from '../slo/metrics.ts';
import type { GeneratorHealth } from './shard.ts';

/** A condition on the generator, without which no measurement of the run means anything. */
export type ValidityCheck = { check: string; ok: boolean; detail: string };

/** Lateness beyond which the load was not the one that was planned, and the share of its thread that a generator may use. */
export const validityLimits = { latenessP99Ms: 10, busy: 0.8 } as const;

/** Judges the generator, not the server: did it speak on time, had it room to, and was anything measured at all? */
export function checkValidity(measured: Measurements, generator: GeneratorHealth): ValidityCheck[] {
  const lateness = quantile(measured.distributions.send_lateness, 0.99);
  const { samples } = measured.distributions.feedback_latency;
  return [
    {
      check: 'send lateness',
      ok: lateness === undefined || lateness <= validityLimits.latenessP99Ms,
      detail:
        lateness === undefined
          ? 'no frame was sent'
          : `p99 ${lateness.toFixed(1)} ms, at most ${validityLimits.latenessP99Ms} ms`,
    },
    {
      check: 'generator busy',
      ok: generator.busy <= validityLimits.busy,
      detail: `${percent(generator.busy)} of its thread, at most ${percent(validityLimits.busy)}; timers p99 ${generator.loopDelayP99Ms.toFixed(1)} ms late`,
    },
    { check: 'feedback due', ok: samples > 0, detail: `${samples} times` },
  ];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
