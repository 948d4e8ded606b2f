import { z } from 'zod';
import { amount, duration, integer, oneOf, percentField, section } from '../../config/fields.ts';

const hourMs = 3_600_000;

const policy = section({
  type: oneOf(['Percent', 'Pods']),
  value: integer(1, 100_000),
  periodSeconds: integer(1, 1800),
});

/** A `behavior.scaleUp` or `.scaleDown` of autoscaling/v2, word for word. */
const rules = section({
  stabilizationWindowSeconds: integer(0, 3600).optional(),
  selectPolicy: oneOf(['Max', 'Min', 'Disabled']).default('Max'),
  policies: z.array(policy).min(1).optional(),
});

/** What decides how many pods there are. Numbers of pods default to the plan's own. */
export const scaling = section({
  kind: oneOf(['fixed', 'hpa', 'keda']).default('hpa'),
  /** fixed: how many. */
  pods: integer(0, 100_000).optional(),
  minReplicas: integer(0, 100_000).optional(),
  maxReplicas: integer(1, 100_000).optional(),
  /** hpa: share of a pod's streams that should be taken. */
  target: percentField(0.01, 1).optional(),
  /**
   * What the autoscaler reads: each ready pod's streams, or the taken share of all slots as an
   * external metric has it (keda: their number), which knows nothing of those who wait.
   */
  signal: oneOf(['pods', 'slots']).default('pods'),
  /** keda: streams a pod, served and waiting. */
  targetStreams: amount('a number of streams', 0.001, 1e6).optional(),
  tolerance: amount('a tolerance', 0, 1).default(0.1),
  sync: duration(1000, hourMs).prefault('15s'),
  pollingInterval: duration(1000, hourMs).prefault('30s'),
  cooldownPeriod: duration(0, hourMs).prefault('300s'),
  behavior: section({ scaleUp: rules.optional(), scaleDown: rules.optional() }).prefault({}),
}).superRefine((given, context) => {
  const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  const { kind, pods, minReplicas: min, maxReplicas: max, target, targetStreams } = given;
  if (kind !== 'fixed' && pods !== undefined) refuse('pods', `belongs to kind: fixed, not ${kind}`);
  if (kind === 'fixed' && (min ?? max) !== undefined)
    refuse(min === undefined ? 'maxReplicas' : 'minReplicas', 'belongs to kind: hpa or keda; a fixed fleet has pods');
  if (kind !== 'hpa' && target !== undefined) refuse('target', `belongs to kind: hpa, not ${kind}`);
  if (kind !== 'keda' && targetStreams !== undefined) refuse('targetStreams', `belongs to kind: keda, not ${kind}`);
  if (kind === 'hpa' && min === 0) refuse('minReplicas', 'is 0: an hpa keeps one pod; only keda scales to 0');
  if (min !== undefined && max !== undefined && min > max) refuse('minReplicas', `${min} is above maxReplicas ${max}`);
  for (const name of ['sync', 'pollingInterval'] as const)
    if (given[name] % 1000 !== 0) refuse(name, `${given[name]} ms is no whole second`);
});
