import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { z } from 'zod';
import { latencyBudget } from '../../src/budget/file/schema.ts';
import { capacityScenario } from '../../src/capacity/scenario/scenario.ts';
import { parseConfig } from '../../src/config/yaml.ts';
import { SpeechfbError } from '../../src/errors.ts';
import { loadScenario } from '../../src/load/scenario/scenario.ts';
import { routingPolicy } from '../../src/routing/policy/policy.ts';
import { networksFile } from '../../src/sim/networks/schema.ts';
import { canaryFile } from '../../src/slo/canary/canary.ts';
import { serviceLevelFile } from '../../src/slo/service-level/service-level.ts';

const shipped = (file: string) => readFileSync(file, 'utf8').split(/^---$/m)[0]!;
const networks = `networks:
  train:
    extends: LTE
    up: { delay: 30ms, jitter: { value: 10ms }, loss: { model: iid, share: 1% } }
    down: { extends: up, rate: 12mbit, queue: { packets: 100 } }
    events: [{ outage: { every: 40s, gap: 3s, mode: drop } }, { ipChange: { at: 120s, oldSocket: silent } }]
`;
const load = `kind: LoadScenario
spec:
  target: { embedded: { limits: { idle_timeout_ms: 30000 } }, tls: { ca: a.pem } }
  learners: { clips: [{ manifest: a.jsonl, weight: 70% }], vadGating: { lead: 40ms } }
  networks: { train: { extends: LTE } }
  mix: [{ network: train, weight: 60% }, { network: 3G, weight: 40% }]
  load: { session: 30s..60s, phases: [{ name: base, duration: 40s, learners: 20 }, { duration: 20s, learners: 3x }] }
  faults: [{ reconnect: { at: 50s, learners: 30% } }, { cutNetwork: { every: 9s, for: 2s, network: 3G } }]
  cost: { server: $1.20/h, servers: 3 }
  objectives: ['p95(feedback_latency){phase=base} < 1s', { expression: cost_per_audio_minute <= $1, delay: 10s }]
`;
const capacity = `kind: CapacityScenario
spec:
  demand: { peakUsers: 90, dutyCycle: 40%, audio: { codec: opus, bitrate: 20kbit } }
  pod: { profile: { points: [{ streams: 9, p95_ms: 20 }], slo: { value: 400ms } } }
  regions: [{ name: a, share: 60% }, { name: b, share: 40% }]
  batching: { steps: [{ batch: 8, step: 65us }], deadline: 20ms }
  supply: { selfHosted: { price: $1/h, share: 50% }, managed: { price: $1/min } }
  assert: { p95Wait: '<= 1s' }
`;
const anything = [undefined, null, 5, 'x', '', [], {}, [null], true];

it.each<[string, string, z.ZodType]>([
  ['load scenario', load, loadScenario],
  ['file of networks', networks, networksFile],
  ['capacity scenario', capacity, capacityScenario],
  ['routing policy that ships', shipped('routing/default.yaml'), routingPolicy],
  ['routing policy of several versions', shipped('routing/versions.yaml'), routingPolicy],
  ['capacity scenario that ships', shipped('capacity/school-day.yaml'), capacityScenario],
  ['budget', shipped('budgets/mobile-500ms.yaml'), latencyBudget],
  ['service level', shipped('slo/live-feedback.yaml'), serviceLevelFile],
  ['canary', shipped('slo/canary.yaml'), canaryFile],
])('a %s with anything in place of any part is good or says what is wrong', (_, source, schema) => {
  const whole: unknown = parse(source);
  for (const path of pathsIn(whole)) {
    for (const other of anything) {
      const text = stringify(withOther(whole, path, other) ?? null);
      expect(() => readOrRefuse(text, schema), `${path.join('.')}: ${JSON.stringify(other)}`).not.toThrow();
    }
  }
});

function readOrRefuse(text: string, schema: z.ZodType): void {
  try {
    parseConfig('x.yaml', text, schema);
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
  }
}

type Path = readonly (string | number)[];

function* pathsIn(value: unknown, path: Path = []): Generator<Path> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    yield* pathsIn(part, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/** A copy with `other` at the path; without what stood there where that is undefined. */
function withOther(value: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value)) {
    const parts = value.map((part, i) => (i === key ? withOther(part, rest, other) : part));
    return parts.filter((part) => part !== undefined);
  }
  return { ...(value as object), [key]: withOther((value as Record<string, unknown>)[key], rest, other) };
}
