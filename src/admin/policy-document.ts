import { z } from 'zod';
import { RefusedCall } from './refusal.ts';
import type { AdminTarget, PolicyTarget } from './target.ts';

const count = z.int().min(0);

/** The routing policy in force, and what changed it. */
export const policyDocument = z.object({
  name: z.string(),
  version: count,
  origin: z.string(),
  policy: z.unknown(),
  withdrawn_canaries: z.array(z.string()),
  canary: z
    .object({ name: z.string(), verdict: z.string(), why: z.string(), figures: z.record(z.string(), z.number()) })
    .nullable(),
});
export type PolicyDocument = z.infer<typeof policyDocument>;

export const policySetAnswer = policyDocument.extend({
  changes: z.array(z.object({ path: z.string(), from: z.unknown().optional(), to: z.unknown().optional() })),
  changed: z.boolean(),
  audit: z.object({ seq: count, hash: z.string() }),
});
export type PolicySetAnswer = z.infer<typeof policySetAnswer>;

export function routingPolicyOf(target: AdminTarget): PolicyDocument {
  const { name, version, origin, policy, withdrawn, canary } = policiesOf(target).view();
  return { name, version, origin, policy, withdrawn_canaries: [...withdrawn], canary: canary ?? null };
}

/** @throws RefusedCall where there is no policy, or several gateways have it */
export function policiesOf({ policies }: AdminTarget): PolicyTarget {
  if (policies) return policies;
  const message = 'no policy can be changed here: --routing FILE or --flags URL gives one, with --gateways 1';
  throw new RefusedCall({ status: 404, code: 'not_found', message });
}
