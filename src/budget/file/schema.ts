import { z } from 'zod';
import {
  despiteProblems,
  duration,
  integer,
  oneOf,
  percentField,
  section,
  shown,
  text,
  throughUnit,
  word,
} from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { parseDurationMs } from '../../units.ts';
import { checkBudget } from './arithmetic.ts';
import type { Budget, Change } from './budget.ts';
import { interpretations } from './budget.ts';
import type { DeclaredDistribution } from './distribution.ts';

const anyTime = () => duration(0, 3_600_000);

const distribution = section({
  /** Lognormal through these two. */
  p50: anyTime().optional(),
  p95: anyTime().optional(),
  /** Normal. */
  mean: anyTime().optional(),
  sd: anyTime().optional(),
  constant: anyTime().optional(),
  empirical: z.array(anyTime()).min(1).optional(),
}).transform((given, context): DeclaredDistribution => {
  const { p50, p95, mean, sd, constant, empirical } = given;
  const form = Object.keys(given)
    .filter((key) => given[key as keyof typeof given] !== undefined)
    .join('+');
  if (form === 'p50+p95' && p50! > 0 && p95! >= p50!) return { kind: 'lognormal', p50Ms: p50!, p95Ms: p95! };
  if (form === 'mean+sd') return { kind: 'normal', meanMs: mean!, sdMs: sd! };
  if (form === 'constant') return { kind: 'constant', ms: constant! };
  if (form === 'empirical') return { kind: 'empirical', sortedMs: [...empirical!].sort((a, b) => a - b) };
  const message =
    form === 'p50+p95'
      ? `p50 ${p50} ms and p95 ${p95} ms are no lognormal; p50 is above 0 and p95 is not below it`
      : `${form || 'nothing'} is not a distribution; allowed: p50 and p95, mean and sd, constant, or empirical`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const stageName = (what: string) =>
  text(what).regex(/^[A-Za-z][\w.-]*$/, {
    error: (issue) => `"${issue.input}" is not a stage name; it starts with a letter and has letters, digits, - _ .`,
  });

const change = section({
  stage: stageName('a stage of the budget'),
  shift: text('a duration such as 100ms or -20ms').transform(throughUnit(signedDurationMs)).optional(),
  scale: z.number().min(0).optional(),
  cap: anyTime().optional(),
  remove: z.literal(true).optional(),
}).transform(({ stage, shift, scale, cap, remove }, context): Change => {
  const given: (Change | undefined)[] = [
    shift === undefined ? undefined : { stage, kind: 'shift', byMs: shift },
    scale === undefined ? undefined : { stage, kind: 'scale', factor: scale },
    cap === undefined ? undefined : { stage, kind: 'cap', atMs: cap },
    remove === undefined ? undefined : { stage, kind: 'remove' },
  ];
  const changes = given.filter((each) => each !== undefined);
  if (changes.length === 1) return changes[0]!;
  context.addIssue({
    code: 'custom',
    message: `has ${changes.length} of shift, scale, cap, remove; write exactly one`,
  });
  return z.NEVER;
});

const between = (low: number, high: number, what: string) => {
  const error = (issue: { input?: unknown }) => isNot(issue.input, what);
  return z.number({ error }).gt(low, { error }).lt(high, { error });
};
const confidenceRange = 'a confidence; write a number above 0 and below 1, such as 0.95, or 95%';
const confidence = z.union([between(0, 1, confidenceRange), percentField(1e-9, 1 - 1e-9)], {
  error: (issue) => isNot(issue.input, confidenceRange),
});
const correlationRange = (issue: { input?: unknown }) =>
  `${shown(issue.input)} is not a correlation; write a number from -1 to 1, or a list of {between: [network, asr], value: 0.5}`;
const rho = z
  .number({ error: correlationRange })
  .min(-1, { error: correlationRange })
  .max(1, { error: correlationRange });

/** A latency budget as its YAML file describes it, with every time in ms. */
export const latencyBudget = section({
  apiVersion: word('speechfb.dev/v1alpha1').optional(),
  kind: word('LatencyBudget'),
  metadata: section({ name: text('a name'), description: text('a sentence').optional() }).prefault({ name: 'budget' }),
  spec: section({
    measure: section({ from: text('a moment'), to: text('a moment') }).optional(),
    objective: section({
      percentile: between(0, 100, 'a percentile; write a number above 0 and below 100, such as 95'),
      op: oneOf(['lte', 'lt']).default('lte'),
      value: anyTime(),
    }),
    interpretation: oneOf(interpretations).default('contribution'),
    stages: z
      .array(
        section({
          name: stageName('a stage name'),
          budget: anyTime(),
          of: z
            .array(text('a trace stage'))
            .min(1, { error: () => 'is empty; list trace stages or leave it out' })
            .optional(),
          distribution: distribution.optional(),
        }),
        { error: () => 'is not a list of stages such as {name: asr, budget: 250ms}' },
      )
      .min(1, { error: () => 'is empty: a budget has at least one stage' }),
    reserve: anyTime().prefault('0ms'),
    /** Trace stages that are counted as unattributed on purpose. */
    unattributed: z.array(text('a trace stage')).default([]),
    correlation: z
      .union([rho, z.array(section({ between: z.tuple([stageName('a stage'), stageName('a stage')]), value: rho }))], {
        error: correlationRange,
      })
      .default(0),
    gate: section({
      confidence: confidence.default(0.95),
      minSamples: integer(1, 1e9).default(200),
      onInvalid: oneOf(['invalid', 'warn', 'fail']).default('invalid'),
      stages: oneOf(['report', 'enforce']).default('report'),
    }).prefault({}),
    whatIf: z.array(section({ name: text('a name'), changes: z.array(change).min(1) })).default([]),
    simulation: section({
      samples: integer(1000, 1_000_000).default(20_000),
      seed: integer(0, 0xffffffff).default(1),
    }).prefault({}),
    bootstrap: section({ replicates: integer(20, 10_000).default(200) }).prefault({}),
  }).superRefine(checkBudget, despiteProblems),
});

/** Keys of a budget that once had other names. */
export const renamedBudgetKeys = [{ path: ['spec', 'gate', 'onInconclusive'], now: 'onInvalid' }] as const;

type LatencyBudget = z.output<typeof latencyBudget>;

/** The budget of a checked document. */
export function budgetOf({ metadata, spec }: LatencyBudget): Budget {
  return {
    name: metadata.name,
    measure: spec.measure,
    objective: { percentile: spec.objective.percentile, op: spec.objective.op, valueMs: spec.objective.value },
    interpretation: spec.interpretation,
    stages: spec.stages.map((stage) => ({
      name: stage.name,
      budgetMs: stage.budget,
      of: stage.of ?? [stage.name],
      distribution: stage.distribution,
    })),
    reserveMs: spec.reserve,
    unattributed: spec.unattributed,
    correlation: spec.correlation,
    gate: spec.gate,
    whatIf: spec.whatIf,
    samples: spec.simulation.samples,
    replicates: spec.bootstrap.replicates,
    seed: spec.simulation.seed,
  };
}

/** The JSON Schema (2020-12) that editors use; kept current in schemas/budget.schema.json. */
export function budgetJsonSchema(): object {
  return {
    title: 'speechfb LatencyBudget',
    ...z.toJSONSchema(latencyBudget, { io: 'input', target: 'draft-2020-12' }),
  };
}

function signedDurationMs(given: string): number {
  const negative = /^\s*-/.test(given);
  const ms = parseDurationMs(negative ? given.replace('-', '') : given);
  return negative ? -ms : ms;
}
