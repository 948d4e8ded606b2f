import { createHash } from 'node:crypto';
import { arrivalsOf } from './arrivals.ts';
import type { FaultPlan } from './faults.ts';
import { directNetwork, type LearnerPlan } from './learner-plan.ts';
import type { LoadProfile } from './load-profile.ts';
import { choose, mixPoint, type Weighted } from './mix.ts';
import { type Behaviour, leadMs, type PlanClip, planUtterances } from './utterances.ts';

export type PlanOptions = {
  shape: LoadProfile;
  behaviour: Behaviour;
  seed: number;
  clips: readonly PlanClip[];
  /** Which clips learners read, as indexes into `clips`, by weight; undefined: all of them. */
  clipMix?: readonly (Weighted & { clips: readonly number[] })[];
  /** Undefined or empty: everybody is on `none`. */
  networks?: readonly (Weighted & { network: string })[];
  /** Undefined or empty: nobody is of any tenant. */
  tenants?: readonly (Weighted & { tenant: string })[];
};

/** An open-loop schedule of every learner of a test, by number. Same options, same plan. */
export function planLearners(options: PlanOptions): LearnerPlan[] {
  const { shape, behaviour, seed, clips, networks = [], tenants = [] } = options;
  const { clipMix = [{ weight: 1, clips: [...clips.keys()] }] } = options;
  return arrivalsOf(shape, seed, leadMs + 2 * behaviour.frameMs).map((stay, learner) => {
    const point = mixPoint(seed, learner);
    const choices = choose(clipMix, point.clips)?.clips ?? [];
    const utterances = planUtterances(clips, choices, stay, behaviour, { seed, learner });
    const language = clips[utterances[0]?.clip ?? 0]?.language ?? 'en-US';
    const network = choose(networks, point.network)?.network ?? directNetwork;
    const tenant = choose(tenants, point.tenant)?.tenant;
    return { learner, ...stay, network, ...(tenant !== undefined && { tenant }), language, utterances };
  });
}

/** The first 16 hex digits of a SHA-256 over a schedule: equal plans, equal hashes. */
export function planHash(plans: readonly LearnerPlan[], faults: readonly FaultPlan[] = []): string {
  const hash = createHash('sha256');
  for (const plan of plans) hash.update(`${JSON.stringify(plan)}\n`);
  return hash.update(JSON.stringify(faults)).digest('hex').slice(0, 16);
}
