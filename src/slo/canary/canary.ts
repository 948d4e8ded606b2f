import { z } from 'zod';
import { duration, integer, oneOf, section, text, throughUnit, word } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { durationText, numberText, percentText } from '../../format.ts';
import { canFire, largestBurn } from '../service-level/burn.ts';
import { type BurnMode, burnModes } from '../service-level/burn-rule.ts';
import { parseShare, parseTarget, parseTraffic } from '../service-level/quantities.ts';
import { type Indicator, indicator, matchers } from '../service-level/service-level.ts';

/** What a canary may count. */
const canaryUnits = ['event', 'utterance', 'session'] as const;
export type CanaryUnit = (typeof canaryUnits)[number];

const dayMs = 86_400_000;
const share = (example: string) => text(`a percentage such as ${example}`).transform(throughUnit(parseShare));
const factor = (example: number) => {
  const error = (issue: { input?: unknown }) => isNot(issue.input, `a number above 1 such as ${example}`);
  return z.number({ error }).gt(1, { error });
};

const spec = section({
  /** The promise whose budget the canary must not burn. */
  target: text('a percentage such as 99%').transform(throughUnit(parseTarget)),
  /**
   * What is independent, and counted: `traffic` and `minimumEvents` are of these. Events of one
   * utterance or session share its fate, and one that is bad in part counts in part.
   */
  unit: oneOf(canaryUnits).default('event'),
  /** How many events such a unit has, where only events are counted: in Prometheus. */
  eventsPerUnit: z
    .number({ error: (issue) => isNot(issue.input, 'a number such as 30') })
    .min(1, { error: (issue) => `${issue.input} is below 1` })
    .optional(),
  /** Units of the whole service, old and new version together. */
  traffic: text('a rate such as 1200/min').transform(throughUnit(parseTraffic)),
  steps: z
    .array(section({ share: share('5%'), hold: duration(1000, 30 * dayMs) }), { error: () => 'is not a list of steps' })
    .min(1, { error: () => 'is empty' }),
  rollback: section({
    burn: z
      .number({ error: (issue) => isNot(issue.input, 'a number such as 2') })
      .positive({ error: (issue) => `${issue.input} is not above 0` }),
    for: duration(1000, dayMs),
    every: duration(1000, dayMs).prefault('1m'),
    mode: z.enum(burnModes, {
      error: (issue) =>
        `${issue.input === undefined ? 'is missing' : JSON.stringify(issue.input)}: "burn above 2 for 10m" reads two ways; ` +
        'allowed: window (the share over the trailing window), consecutive (every interval by itself, in a row)',
    }),
  }).superRefine((value, context) => {
    if (value.for % value.every === 0) return;
    context.addIssue({ code: 'custom', path: ['for'], message: 'is not a whole number of intervals (every)' });
  }),
  /** The burn that the rollout must find; the plan says how surely it does. */
  detect: factor(4).prefault(4),
  /**
   * Wald's test for an early decision: the canary's share against `worse` times what is acceptable.
   */
  sequential: section({
    worse: factor(2).prefault(2),
    alpha: share('1%').prefault('1%'),
    beta: share('20%').prefault('20%'),
  }).prefault({}),
  /** How much slower, as a share of the baseline's median, is still the same. */
  latency: section({ margin: share('5%').prefault('5%'), confidence: share('95%').prefault('95%') }).prefault({}),
  /** Fewer events than this on either side prove nothing. */
  minimumEvents: integer(1, 1_000_000_000).prefault(100),
  /** What is counted: in load test runs by `loadtest`, in Prometheus by the rest. */
  indicator: indicator.optional(),
  /** Label matchers that tell the two versions apart in Prometheus. */
  versions: section({
    baseline: matchers,
    canary: matchers,
  }).optional(),
}).superRefine((value, context) => {
  const refuse = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  value.steps.forEach(({ share, hold }, i) => {
    const before = value.steps[i - 1]?.share ?? 0;
    if (share <= before) refuse(['steps', i, 'share'], `is not above ${percentText(before)}, the step before`);
    if (hold >= value.rollback.for) return;
    const window = durationText(value.rollback.for);
    refuse(
      ['steps', i, 'hold'],
      `${durationText(hold)} ends before the rollback rule has seen its ${window}: it can never trip here`,
    );
  });
  if (!canFire(value.rollback.burn, value.target)) {
    const most = numberText(largestBurn(value.target));
    refuse(
      ['rollback', 'burn'],
      `can never be exceeded: at a target of ${percentText(value.target)} the burn is at most ${most}`,
    );
  }
});

/** A rollout as its YAML file describes it: times in ms, shares of 1. */
export const canaryFile = section({
  apiVersion: word('speechfb.dev/v1alpha1').optional(),
  kind: word('CanaryAnalysis'),
  metadata: section({ name: text('a name'), description: text('a sentence').optional() }),
  spec,
});

export type CanaryFile = z.output<typeof canaryFile>;

/** What the formulas work on. */
export type Canary = {
  name: string;
  target: number;
  unit: CanaryUnit;
  eventsPerUnit: number | undefined;
  /** Units a minute. */
  eventsPerMinute: number;
  steps: readonly { share: number; holdMs: number }[];
  rollback: { burn: number; forMs: number; everyMs: number; mode: BurnMode };
  detect: number;
  sequential: { worse: number; alpha: number; beta: number };
  latency: { margin: number; confidence: number };
  minimumEvents: number;
  indicator: Indicator | undefined;
  versions: { baseline: string; canary: string } | undefined;
};

export function canaryOf({ metadata, spec }: CanaryFile): Canary {
  const { rollback } = spec;
  return {
    name: metadata.name,
    target: spec.target,
    unit: spec.unit,
    eventsPerUnit: spec.eventsPerUnit,
    eventsPerMinute: spec.traffic,
    steps: spec.steps.map((step) => ({ share: step.share, holdMs: step.hold })),
    rollback: { burn: rollback.burn, forMs: rollback.for, everyMs: rollback.every, mode: rollback.mode },
    detect: spec.detect,
    sequential: spec.sequential,
    latency: spec.latency,
    minimumEvents: spec.minimumEvents,
    indicator: spec.indicator,
    versions: spec.versions,
  };
}

/** The JSON Schema (2020-12) that editors use; kept current in schemas/canary.schema.json. */
export function canaryJsonSchema(): object {
  return { title: 'speechfb CanaryAnalysis', ...z.toJSONSchema(canaryFile, { io: 'input', target: 'draft-2020-12' }) };
}
