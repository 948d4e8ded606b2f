import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { budgetOf, latencyBudget, renamedBudgetKeys } from '../../src/budget/file/schema.ts';
import { curveFileFor } from '../../src/capacity/scenario/curve.ts';
import { capacityScenario } from '../../src/capacity/scenario/scenario.ts';
import { parseUsersCsv } from '../../src/capacity/scenario/users-csv.ts';
import { readCanary } from '../../src/commands/canary/read.ts';
import { readNetworksFile } from '../../src/commands/netsim/read-file.ts';
import { readOpenSlo, readServiceLevel } from '../../src/commands/slo/read-service-level.ts';
import { parseDocuments } from '../../src/config/documents.ts';
import { parseConfig } from '../../src/config/yaml.ts';
import { readClips } from '../../src/load/scenario/clips.ts';
import { readScenario } from '../../src/load/scenario/scenario.ts';
import { speechfb } from '../kit/command.ts';
import { editedText, fuzz, hasEnded, mayRefuse } from '../kit/fuzz.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();
const file = join(scratch, 'edited.yaml');
const read = (name: string) => readFileSync(name, 'utf8').replaceAll('../fixtures', `${process.cwd()}/fixtures`);

/** Edits a file and reads it as its verb does. */
function reads(texts: readonly string[], runs: number, name: string, reader: (text: string) => unknown): void {
  fuzz(name, editedText(texts), runs, (text) =>
    mayRefuse(() => {
      writeFileSync(file, text);
      return reader(text);
    }),
  );
}

const scenarios = ['quickstart', 'bad-network', 'reconnect-storm', 'ci-smoke'].map((name) =>
  read(`scenarios/${name}.yaml`),
);
reads(scenarios, 250, 'load scenarios', () => readScenario(file));

reads(
  ['mobile-500ms', 'before-launch'].map((name) => read(`budgets/${name}.yaml`)),
  250,
  'budgets',
  (text) =>
    parseDocuments(file, text, 'LatencyBudget', latencyBudget, renamedBudgetKeys).map(({ value }) => budgetOf(value)),
);

reads(
  ['live-class', 'school-day'].map((name) => read(`capacity/${name}.yaml`)),
  250,
  'capacity scenarios',
  (text) => parseDocuments(file, text, 'CapacityScenario', capacityScenario),
);

reads([read('slo/live-feedback.yaml')], 250, 'service levels', () => readServiceLevel(file, undefined));

reads(
  [
    'apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: s\n  budgetingMethod: Occurrences\n' +
      '  timeWindow: [{duration: 28d, isRolling: true}]\n  objectives: [{target: 0.99}]\n  indicator:\n    spec:\n' +
      '      ratioMetric:\n        bad: {metricSource: {type: Prometheus, spec: {query: \'sum(rate(x{a="b"}[5m]))\'}}}\n' +
      "        total: {metricSource: {type: Prometheus, spec: {query: 'sum(rate(y[5m]))'}}}\n",
  ],
  150,
  'OpenSLO',
  (text) => readOpenSlo(file, text),
);

reads([read('slo/canary.yaml')], 250, 'canaries', () => readCanary(file, {}));

reads(
  [
    'networks:\n  train: {up: {delay: 40ms, jitter: 5ms}, down: {rate: 1mbit, queue: 20}}\n' +
      '  tram: {extends: train, transport: tcp-tls, up: {loss: gemodel 1% 25%}, events: [{outage: 2s, every: 30s}]}\n',
  ],
  250,
  'networks',
  () => readNetworksFile(file),
);

reads([read('fixtures/audio/manifest.jsonl')], 60, 'manifests of clips', () => readClips(file));

reads([read('capacity/school-day.csv'), 'minute,users\n0,1\n1,2\n'], 200, 'tables of users', (text) =>
  parseUsersCsv(file, text),
);

reads(
  ['{"kind": "CapacityCurve", "version": 1, "points": [{"streams": 90, "p95_ms": 120, "valid": true}]}'],
  200,
  'measured curves',
  (text) => parseConfig(file, text, curveFileFor({ percentile: 95, valueMs: 400 })),
);

const trace = '{"at_ms": 1, "session": "s", "profile": "p", "total_ms": 90, "stages": {"asr": 80, "queue": 2}}\n';
fuzz('traces', editedText([trace.repeat(30)]), 60, async (text) => {
  writeFileSync(file, text);
  hasEnded(await speechfb('budget', 'budgets/mobile-500ms.yaml', '--traces', file));
});

const span = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'asr',
  startTimeUnixNano: '1000000',
  endTimeUnixNano: '91000000',
  attributes: [{ key: 'session', value: { stringValue: 's' } }],
};
const child = { ...span, spanId: 'c'.repeat(16), parentSpanId: span.spanId };
fuzz(
  'OpenTelemetry traces',
  editedText([JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span, child] }] }] })]),
  60,
  async (text) => {
    writeFileSync(file, text);
    hasEnded(await speechfb('budget', 'budgets/mobile-500ms.yaml', '--otlp', file));
  },
);
