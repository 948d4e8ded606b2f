// What a Collector's file must have of a run, held against the run itself; collector.sh calls it with the folder of both.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { checks, lines, spansOf } from './spans.mjs';

const folder = process.argv[2];
const read = (name) => readFileSync(join(folder, name));
const stages = ['capture', 'window', 'ingress', 'queue', 'features', 'asr', 'scoring', 'emit'];
// What both ends know of a feedback, to the microsecond.
const common = ['queue', 'features', 'asr', 'scoring', 'emit'];

const spans = spansOf(join(folder, 'traces.jsonl'));
const traces = lines(gunzipSync(read('run/traces.ndjson.gz')).toString());
// Exemplars are named by their line, which in a binary file is a message.
const budgetOf = (file) =>
  JSON.parse(read(`budget-${file}.json`).toString(), (key, value) => (key === 'line' ? 0 : value));
const [ofRun, ofSpans, ofBinary] = ['run', 'traces.jsonl', 'traces.bin'].map(budgetOf);

const count = (name) => spans.filter((span) => span.name === name).length;
const { hold, end } = checks();

for (const name of ['session', 'utterance', 'final', 'feedback', ...stages])
  hold(`spans "${name}" in the Collector's file`, count(name), count(name) > 0);

const below = new Map(spans.filter(({ name }) => name === 'feedback').map(({ spanId }) => [spanId, {}]));
for (const { name, parentSpanId, startTimeUnixNano: from, endTimeUnixNano: to } of spans)
  if (common.includes(name) && below.has(parentSpanId))
    below.get(parentSpanId)[name] = Number(BigInt(to) - BigInt(from)) / 1e6;
const traced = [...below.values()];
const isTraced = ({ stages: told }) =>
  traced.some((times) => common.every((stage) => Math.abs((times[stage] ?? 0) - (told[stage] ?? 0)) < 0.005));
const missing = traces.filter((trace) => !isTraced(trace)).length;
hold('feedback of the run without the same stages in the file', `${missing} of ${traces.length}`, missing === 0);

const ms = (value) => `${value.toFixed(1)} ms`;
const within = ([low, high]) => `${ms(low)} to ${ms(high)}`;
const [low, high] = ofRun.measured.ci_ms;
// The load generator saw the way there and back, too; over loopback it is little.
const outside = ofRun.unattributed_ms;
const p95 = ofSpans.measured.value_ms;
const seen = `${ms(p95)}; the run: ${ms(ofRun.measured.value_ms)}, ${within([low, high])}, ${ms(outside)} of it on the way`;
hold('p95 by budget --otlp', seen, p95 >= low - outside && p95 <= high);
for (const [i, { name, contribution_ms: share, ci_ms: interval }] of ofSpans.stages.entries()) {
  const { contribution_ms: own, ci_ms: other } = ofRun.stages[i];
  const overlap = interval[0] <= other[1] && other[0] <= interval[1];
  hold(`share of ${name} in it`, `${ms(share)}, ${within(interval)}; the run: ${ms(own)}, ${within(other)}`, overlap);
}

hold('budget --otlp of format: proto', ofBinary.measured.n, JSON.stringify(ofBinary) === JSON.stringify(ofSpans));

end();
