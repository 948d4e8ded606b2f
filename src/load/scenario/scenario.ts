import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseDocuments } from '../../config/documents.ts';
import { despiteProblems, duration, integer, section, text, throughUnit, word } from '../../config/fields.ts';
import { readText } from '../../config/read-chunks.ts';
import { isNot } from '../../config/sentences.ts';
import { badConfig } from '../../config/yaml.ts';
import { createDialect, type DialectSpec, dialectSpec, isProtocolFile } from '../../dialects/catalogue.ts';
import { SpeechfbError } from '../../errors.ts';
import { networksMap } from '../../sim/networks/schema.ts';
import { parseObjective } from '../../slo/objective/expression.ts';
import { checkScenario } from './checks.ts';
import { cost } from './cost-schema.ts';
import { faults } from './faults-schema.ts';
import { weight, yesOrNo } from './fields.ts';
import { learners } from './learners-schema.ts';
import { phasesEndMs } from './load-profile-of.ts';
import { load, renamedLoadKeys } from './load-schema.ts';
import { missingFiles } from './missing-files.ts';
import { canonicalName } from './network-names.ts';
import { target } from './target-schema.ts';

const objectiveText = text('an objective').transform(throughUnit(parseObjective));

const objective = z.union(
  [
    objectiveText.transform((parsed) => ({ ...parsed, abortOnFail: false, delayMs: 0 })),
    section({
      expression: objectiveText,
      abortOnFail: yesOrNo().prefault(false).describe('Ends the test as soon as the objective is missed for certain.'),
      delay: duration(0, 86_400_000).prefault('0s').describe('Not before this much of the test has passed.'),
    }).transform(({ expression, abortOnFail, delay }) => ({ ...expression, abortOnFail, delayMs: delay })),
  ],
  { error: () => 'is not an objective; write p95(feedback_latency) < 500ms, or {expression: ..., abortOnFail: true}' },
);

/** How long learners may speak. */
export const durationLimits = { leastMs: 1000, mostMs: 604_800_000 } as const;

/**
 * A load test as its YAML file describes it; durations in ms, objectives parsed, paths as written.
 */
export const loadScenario = section({
  apiVersion: word('speechfb.dev/v1alpha1'),
  kind: word('LoadScenario'),
  metadata: section({
    name: text('a name').regex(/^[a-z0-9][a-z0-9-]*$/, {
      error: (issue) => isNot(issue.input, 'lower-case letters, digits and hyphens'),
    }),
    description: text('a sentence').optional(),
  }),
  spec: section({
    target: target.prefault({}),
    learners,
    networks: networksMap.optional().describe('Networks of this file, beside the built-in ones.'),
    mix: z
      .array(section({ network: text('the name of a network, or none'), weight: weight() }), {
        error: () => 'is not a list such as [{network: LTE, weight: 60%}, {network: 3G, weight: 40%}]',
      })
      .min(1, { error: () => 'is empty: nobody would be on any network; leave it out to simulate none' })
      .optional()
      .describe('Who is on which network; without it everybody is on the network that is there.'),
    load,
    faults: faults.prefault([]),
    cost: cost.optional().describe('What the servers under test cost; for cost_per_audio_minute.'),
    warmup: duration(0, 3_600_000).prefault('0s').describe('What is due before this is not measured.'),
    duration: duration(durationLimits.leastMs, durationLimits.mostMs)
      .optional()
      .describe('How long learners speak; phases say it by themselves.'),
    drain: duration(0, 60_000)
      .prefault('5s')
      .describe('How long the last finals may take after the learners stop; later ones count as never.'),
    seed: integer(0, 0xffffffff).prefault(1),
    objectives: z
      .array(objective, { error: () => 'is not a list of objectives such as p95(feedback_latency) < 500ms' })
      .min(1, { error: () => 'is empty: a run without objectives proves nothing' }),
  })
    .superRefine(checkScenario, despiteProblems)
    .transform((spec) => ({ ...spec, duration: spec.duration ?? phasesEndMs(spec.load) })),
});

type Parsed = z.output<typeof loadScenario>;

/** A checked scenario, and where each part of it stands in its file. */
export type LoadScenario = Omit<Parsed, 'spec'> & {
  spec: Omit<Parsed['spec'], 'learners'> & { learners: Parsed['spec']['learners'] & { frame: number } };
  file: string;
  /** What the target speaks; undefined: speechfb.v1. */
  dialect: DialectSpec | undefined;
  /** `file:line:column` of what stands at a path, or of its nearest parent. */
  at(path: readonly PropertyKey[]): string;
};

/**
 * Reads and checks a scenario file, which may hold documents of other kinds as well; paths come
 * back absolute. `-` is standard input, whose paths are relative to where the command runs.
 */
export function readScenario(given: string): LoadScenario {
  const file = given === '-' ? 'standard input' : given;
  const schema = loadScenario.superRefine(missingFiles(dirname(file)), despiteProblems);
  const source = readText(given, 'scenario', shippedHint);
  if (/\b(from|require\()\s*['"]k6(\/|['"])/.test(source)) throw k6Script(file);
  const [first, second] = parseDocuments(file, source, 'LoadScenario', schema, renamedLoadKeys);
  if (second) {
    const where = second.at(['metadata', 'name']);
    throw badConfig(file, [{ where, message: 'is a second LoadScenario; run one a file' }]);
  }
  const { value, at } = first!;
  const spec = withPaths(value.spec, dirname(file));
  const dialect = dialectOf(spec, file, at);
  const messageMs = dialect && createDialect(dialect).audio.messageMs;
  const frame = spec.learners.frame ?? messageMs ?? defaultFrameMs;
  return { ...value, spec: withNames({ ...spec, learners: { ...spec.learners, frame } }), file, at, dialect };
}

const defaultFrameMs = 20;

/** The dialect of `target.protocol` with its options; undefined for speechfb. */
function dialectOf({ target }: Parsed['spec'], file: string, at: LoadScenario['at']): DialectSpec | undefined {
  const read = specOf(target, file, at(['spec', 'target', 'protocol']));
  if ('spec' in read) return read.spec;
  const problems = read.problems.map(({ path, message }) => ({
    where: at(['spec', 'target', ...path]),
    message: `spec.target.${path.join('.')}: ${message}`,
  }));
  throw badConfig(file, problems);
}

/** The same; a module that is no dialect is told of at the line that names it. */
function specOf({ protocol, options }: Parsed['spec']['target'], file: string, where: string) {
  try {
    return dialectSpec(protocol, options);
  } catch (cause) {
    if (!(cause instanceof SpeechfbError) || cause.code !== 'bad_module') throw cause;
    const problems = [{ where, message: `spec.target.protocol: ${cause.message}` }];
    throw new SpeechfbError('bad_module', `${file} names a module that is no dialect`, { cause, problems });
  }
}

/** The JSON Schema (2020-12) that editors use; kept current in schemas/scenario.schema.json. */
export function scenarioJsonSchema(): object {
  return {
    title: 'speechfb LoadScenario',
    ...z.toJSONSchema(loadScenario, { io: 'input', target: 'draft-2020-12' }),
  };
}

/** The scenario with every path made absolute. */
function withPaths(spec: Parsed['spec'], directory: string): Parsed['spec'] {
  const absolute = (path: string) => resolve(directory, path);
  const { target, learners, cost } = spec;
  const { tokenFile, tls, embedded, protocol } = target;
  return {
    ...spec,
    learners: { ...learners, clips: learners.clips.map((one) => ({ ...one, manifest: absolute(one.manifest) })) },
    ...(cost?.capacity === undefined ? {} : { cost: { ...cost, capacity: absolute(cost.capacity) } }),
    target: {
      ...target,
      ...(isProtocolFile(protocol) ? { protocol: absolute(protocol) } : {}),
      ...(tokenFile === undefined ? {} : { tokenFile: absolute(tokenFile) }),
      ...(tls?.ca === undefined ? {} : { tls: { ...tls, ca: absolute(tls.ca) } }),
      ...(embedded && { embedded: withFiles(embedded, absolute) }),
    },
  };
}

type EmbeddedSpec = NonNullable<Parsed['spec']['target']['embedded']>;

function withFiles(embedded: EmbeddedSpec, absolute: (path: string) => string): EmbeddedSpec {
  const { model, routing } = embedded;
  return {
    ...embedded,
    ...(model === undefined ? {} : { model: absolute(model) }),
    ...(routing === undefined ? {} : { routing: absolute(routing) }),
  };
}

/** The scenario with the networks of objectives as their labels write them. */
function withNames(spec: LoadScenario['spec']): LoadScenario['spec'] {
  const objectives = spec.objectives.map((one) => {
    const { profile } = one.selector;
    if (profile === undefined) return one;
    return { ...one, selector: { ...one.selector, profile: canonicalName(spec.networks ?? {}, profile) } };
  });
  return { ...spec, objectives };
}

function k6Script(file: string): SpeechfbError {
  const message = `${file} is a k6 script; a scenario is YAML of kind LoadScenario`;
  return new SpeechfbError('bad_config', message, {
    hint: 'docs/loadtest/scenario.md has its keys; speechfb examples copies some',
  });
}

const shippedHint =
  'scenarios that ship with speechfb are in its scenarios/ folder, for example scenarios/quickstart.yaml';
