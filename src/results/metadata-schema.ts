import { z } from 'zod';
import { despiteProblems, integer, oneOf, section, text, throughUnit } from '../config/fields.ts';
import { labelNames, type Selector } from '../metrics/definitions.ts';
import { redactUrls } from '../redact.ts';
import { type Objective, parseObjective } from '../slo/objective/expression.ts';
import type { ServerCost } from './cost.ts';
import { type FaultRecord, faultKinds } from './fault-record.ts';
import type { GeneratorHealth } from './generator-health.ts';
import type { RunMetadata } from './judge-run.ts';
import { anyNumber, countField, list, notNegative, someOf, trueOrFalse, words } from './recording-fields.ts';

/** The keys of `T`, so that none is added to it without a schema here. */
type Keys<T> = Record<keyof T, z.ZodType>;

const scenario = section({
  name: text('a name'),
  learners: countField(),
  rampMs: notNegative(),
  durationMs: notNegative(),
  frameMs: notNegative(),
  emitIntervalMs: notNegative(),
  pauseMs: notNegative().optional(),
  seed: integer(0, 0xffffffff),
  target: text('embedded, or a URL').transform(redactUrls),
  planHash: text('a hash'),
} satisfies Keys<RunMetadata['scenario']>);

const shard = section({
  index: countField(1),
  count: countField(1),
  planHash: text('a hash'),
} satisfies Keys<NonNullable<RunMetadata['shard']>>).superRefine(({ index, count }, context) => {
  if (index > count)
    context.addIssue({ code: 'custom', path: ['index'], message: `${index} is more than the ${count} shards` });
}, despiteProblems);

/**
 * What is written decides; the file also has it parsed. Its selector is as the networks are called.
 */
const objective = z
  .looseObject({
    source: text('an objective'),
    selector: someOf(labelNames, text('a label')) as unknown as z.ZodType<Selector>,
  })
  .transform(({ source, selector }, context): Objective => {
    const parsed = throughUnit(parseObjective)(source, context as z.RefinementCtx);
    return { ...parsed, selector };
  });

const generator = section({
  learners: countField(),
  busy: notNegative(),
  cpu: notNegative(),
  waited: anyNumber()
    .nullish()
    .transform((share) => share ?? undefined),
  loopDelayP99Ms: notNegative(),
  rssBytes: notNegative(),
  lost: words('why it ended').optional(),
} satisfies Keys<GeneratorHealth>);

const fault = section({
  kind: oneOf(faultKinds),
  plannedMs: notNegative(),
  atMs: notNegative(),
  untilMs: notNegative().optional(),
  affected: section({ learners: countField(), of: countField() }).optional(),
  problem: words('why it did not happen').optional(),
} satisfies Keys<FaultRecord>);

/** What a recording says besides its measurements. */
export const runMetadata = section({
  speechfbVersion: text('a version'),
  startedAt: z.iso.datetime({ error: () => 'is not a time such as 2026-11-26T09:30:00Z (RFC 3339, UTC)' }),
  elapsedMs: notNegative(),
  scenario,
  shard: shard.optional(),
  environment: section({
    node: words('a version'),
    platform: words('a name'),
    cpus: countField(),
    cpuModel: words('a name'),
    memoryBytes: notNegative(),
  } satisfies Keys<RunMetadata['environment']>),
  interrupted: trueOrFalse(),
  assumeIndependent: trueOrFalse(),
  aborted: section({
    objective: text('an objective'),
    atMs: notNegative(),
    reason: words('why'),
  } satisfies Keys<NonNullable<RunMetadata['aborted']>>).optional(),
  warmupMs: notNegative(),
  prices: section({ server: notNegative(), servers: countField(1) } satisfies Keys<ServerCost>).optional(),
  sessionErrors: list(section({ text: words('what went wrong'), count: countField(1) })),
  objectives: list(objective),
  generators: list(generator),
  faults: list(fault),
} satisfies Keys<RunMetadata>);
