import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { duration, integer, section, text, throughUnit, word } from '../config/fields.ts';
import { parseConfig } from '../config/yaml.ts';
import { SpeechfbError } from '../errors.ts';
import { parseObjective } from '../slo/expression.ts';

/** A load test as its YAML file describes it; durations in ms, objectives parsed, paths as written. */
export const loadScenario = section({
  apiVersion: word('speechfb.dev/v1alpha1'),
  kind: word('LoadScenario'),
  metadata: section({
    name: text('a name').regex(/^[a-z0-9][a-z0-9-]*$/, {
      error: (issue) => `${JSON.stringify(issue.input)} is not lower-case letters, digits and hyphens`,
    }),
    description: text('a sentence').optional(),
  }),
  spec: section({
    /** Without a url: a server of this version is started beside the test, on a port of its own. */
    target: section({ url: text('a ws:// or wss:// URL').transform(throughUnit(checkUrl)).optional() }).prefault({}),
    learners: section({
      /** JSON Lines of {id, audio, text}; audio relative to the file, the file relative to the scenario. */
      clips: text('the path of a clip manifest'),
      frame: duration(10, 100).prefault('20ms'),
      emitInterval: duration(20, 1000).prefault('100ms'),
      /** Silence of the app between two utterances of one learner: nothing is sent. */
      pause: duration(0, 60_000).prefault('500ms'),
    }),
    load: section({
      learners: integer(1, 100_000),
      /** Learners arrive evenly over this time, whatever the server does (open loop). */
      ramp: duration(0, 3_600_000).prefault('0s'),
    }),
    duration: duration(1000, 86_400_000),
    /** How long the last finals may take after the learners stop; later ones count as never. */
    drain: duration(0, 60_000).prefault('5s'),
    seed: integer(0, 0xffffffff).prefault(1),
    objectives: z
      .array(text('an objective').transform(throughUnit(parseObjective)), {
        error: () => 'is not a list of objectives such as p95(feedback_latency) < 500ms',
      })
      .min(1, { error: () => 'is empty: a run without objectives proves nothing' }),
  }).refine(({ load, duration }) => load.ramp < duration, {
    path: ['load', 'ramp'],
    error: () => 'is not shorter than the duration: some learners would never arrive',
  }),
});

export type LoadScenario = z.output<typeof loadScenario>;

/** Reads and checks a scenario file; the clip manifest's path comes back absolute. */
export function readScenario(file: string): LoadScenario {
  const scenario = parseConfig(file, readText(file), loadScenario);
  scenario.spec.learners.clips = resolve(dirname(file), scenario.spec.learners.clips);
  return scenario;
}

/** The JSON Schema (2020-12) that editors use; kept current in schemas/scenario.schema.json. */
export function scenarioJsonSchema(): object {
  return {
    title: 'speechfb LoadScenario',
    ...z.toJSONSchema(loadScenario, { io: 'input', target: 'draft-2020-12' }),
  };
}

/** A WebSocket URL; the path /v1/stream is filled in when there is none. */
export function checkUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'ws:' && url?.protocol !== 'wss:') {
    throw new SpeechfbError('bad_url', `"${given}" is not a WebSocket URL; allowed: ws://host:port, wss://host:port`);
  }
  if (url.pathname === '/') url.pathname = '/v1/stream';
  return url.href;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SpeechfbError('unreadable_file', `cannot read the scenario "${file}": ${(cause as Error).message}`, {
      hint: 'scenarios that ship with speechfb are in its scenarios/ folder, for example scenarios/quickstart.yaml',
      cause,
    });
  }
}
