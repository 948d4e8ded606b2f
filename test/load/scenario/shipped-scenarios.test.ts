import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/yaml.ts';
import { prepareLoad } from '../../../src/load/scenario/prepare.ts';
import { loadScenario, readScenario } from '../../../src/load/scenario/scenario.ts';

const validate = new Ajv2020().compile(JSON.parse(readFileSync('schemas/scenario.schema.json', 'utf8')));
const shipped = readdirSync('scenarios', { encoding: 'utf8', recursive: true }).filter((file) =>
  file.endsWith('.yaml'),
);
const document = readFileSync('docs/loadtest/scenario.md', 'utf8');
const examples = [...document.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);

it('ships these scenarios', () => {
  expect(shipped.sort()).toEqual([
    'bad-network.yaml',
    'chaos/canary-rollback.yaml',
    'chaos/clock-back.yaml',
    'chaos/dependency-loss.yaml',
    'chaos/drain-gateway.yaml',
    'chaos/expire-certificates.yaml',
    'chaos/gpu-failure.yaml',
    'chaos/kill-gateway.yaml',
    'chaos/kill-inference.yaml',
    'chaos/kill-kafka.yaml',
    'chaos/kill-redis.yaml',
    'chaos/kill-worker.yaml',
    'chaos/lying-node.yaml',
    'chaos/managed-hangs.yaml',
    'chaos/no-node.yaml',
    'chaos/node-loss.yaml',
    'chaos/packet-loss.yaml',
    'chaos/redis-failover.yaml',
    'chaos/rolling-everything.yaml',
    'chaos/rolling-nodes.yaml',
    'chaos/slow-machine.yaml',
    'chaos/slow-redis.yaml',
    'chaos/stop-gateway.yaml',
    'chaos/stop-inference.yaml',
    'chaos/stop-kafka.yaml',
    'chaos/stop-redis.yaml',
    'chaos/tenant-flood.yaml',
    'chaos/zone-loss.yaml',
    'ci-smoke.yaml',
    'live-class-3x-spike.yaml',
    'overload-3x.yaml',
    'quickstart.yaml',
    'reconnect-storm.yaml',
    'soak.yaml',
  ]);
});

describe.each(shipped)('%s', (file) => {
  it('is valid with everything that it names, and fits the JSON Schema', () => {
    const { scenario, prepared } = preparedFrom(file);
    expect(scenario.metadata.name).toBe(basename(file, '.yaml'));
    // A file may have its routing policy behind it.
    const [first = ''] = readFileSync(`scenarios/${file}`, 'utf8').split(/^---$/m);
    expect(validate(parse(first)), JSON.stringify(validate.errors)).toBe(true);
    // Two cores carry some 200 sessions and the load.
    if (file !== 'overload-3x.yaml') expect(prepared.whole.peak).toBeLessThanOrEqual(100);
  });

  it('has comments that teach, and lines that fit', () => {
    const lines = readFileSync(`scenarios/${file}`, 'utf8').split('\n');
    expect(lines[0]).toMatch(/^# /);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(130);
  });
});

it('every scenario and every load in the documentation is valid', () => {
  const scenarios = examples.filter((source) => source.includes('kind: LoadScenario'));
  expect(scenarios.length).toBeGreaterThanOrEqual(2);
  for (const source of scenarios) parseConfig('docs/loadtest/scenario.md', source, loadScenario);
  const loads = examples
    .filter((source) => source.startsWith('load:'))
    .flatMap((source) => source.split(/^(?=load:)/m));
  expect(loads).toHaveLength(4);
  for (const load of loads) {
    const phases = load.includes('phases') ? '' : '  duration: 1m\n';
    const frame = 'spec:\n  learners: { clips: x.jsonl }\n  objectives: [availability >= 99%]\n';
    const source = `apiVersion: speechfb.dev/v1alpha1\nkind: LoadScenario\nmetadata: { name: x }\n${frame}${phases}${load.replace(/^/gm, '  ')}`;
    parseConfig('docs/loadtest/scenario.md', source, loadScenario);
  }
});

function preparedFrom(file: string) {
  const scenario = readScenario(`scenarios/${file}`);
  return { scenario, prepared: prepareLoad(scenario) };
}
