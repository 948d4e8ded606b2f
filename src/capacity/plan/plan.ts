import { concurrencyQuantile } from '../queueing/concurrency.ts';
import { judgeAssertion } from '../scenario/assertion.ts';
import { audioBytesPerSecond } from '../scenario/codec.ts';
import type { CapacitySpec } from '../scenario/spec.ts';
import type { WatchPlay } from '../simulation/simulate.ts';
import { costOf } from './cost.ts';
import { audioOf, detailsOf } from './details.ts';
import { leverOf } from './lever.ts';
import { notesOn } from './notes.ts';
import type { CapacityResult } from './result.ts';
import { simulatePlan } from './simulation.ts';
import { createPlan, type PlanInputs } from './sizes.ts';
import { valuesOf } from './values.ts';

/**
 * The whole answer to a scenario. Pure: the same scenario, inputs and seed give the same result.
 *
 * @param watch hears how far a run of the simulation has come
 */
export function planCapacity(name: string, spec: CapacitySpec, inputs: PlanInputs, watch?: WatchPlay): CapacityResult {
  const plan = createPlan(spec, inputs);
  const { active, users, pods, supply } = plan;
  const cost = costOf(supply);
  const answer = {
    ingress_bytes_per_second: active * audioBytesPerSecond(audioOf(spec)),
    concurrency: { mean: active, p999: concurrencyQuantile(users, spec.demand.dutyCycle, 0.999) },
    pods: { minimum: pods.minimum, with_headroom: pods.withHeadroom, blocking: pods.binomial },
    cost: {
      managed_per_minute: cost.managedPerMinute ?? null,
      self_hosted_per_minute: cost.selfHostedPerMinute ?? null,
      blended_per_minute: cost.blendedPerMinute ?? null,
    },
    simulation: simulatePlan(plan, watch),
  };
  const details = detailsOf(name, plan);
  const values = valuesOf(answer, details);
  const assertions = Object.values(spec.assert).flatMap((lines) =>
    (lines ?? []).map((line) => judgeAssertion(line, values[line.metric] ?? Number.POSITIVE_INFINITY)),
  );
  const verdict = assertions.length === 0 ? 'none' : assertions.every((a) => a.verdict === 'pass') ? 'pass' : 'fail';
  return {
    ...answer,
    assertions,
    verdict,
    details: { ...details, notes: notesOn(plan, answer, details, leverOf(plan, details, answer.simulation, watch)) },
  };
}
