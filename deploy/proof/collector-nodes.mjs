// What a Collector's file must have of gateway and node as two processes; collector.sh calls it with the folder.
import { join } from 'node:path';
import { checks, spansOf } from './spans.mjs';

const spans = spansOf(join(process.argv[2], 'traces.jsonl'));
const { hold, end } = checks();
const byId = new Map(spans.map((span) => [span.spanId, span]));
const named = (name) => spans.filter((span) => span.name === name);
const sent = (span, service) => span.service === service;
const ns = (span) => [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)];
const ms = (span) => Number(ns(span)[1] - ns(span)[0]) / 1e6;
function byTrace(all) {
  const traces = new Map();
  for (const one of all) traces.set(one.traceId, [...(traces.get(one.traceId) ?? []), one]);
  return traces;
}

// Each kind of the node's spans, and the kind that it must be below.
const above = new Map([
  ['node utterance', 'utterance'],
  ['node feedback', 'node utterance'],
  ['node final', 'node utterance'],
  ...['queue', 'features', 'asr', 'scoring'].map((stage) => [`node ${stage}`, 'node feedback']),
]);
for (const [name, parent] of above) {
  const found = named(name);
  const right = found.filter(({ traceId, parentSpanId }) => {
    const over = byId.get(parentSpanId);
    return over?.name === parent && over.traceId === traceId;
  });
  const all = found.every((span) => sent(span, 'node'));
  hold(
    `"${name}" of the node, each below "${parent}" of its trace`,
    `${right.length} of ${found.length}`,
    all && found.length > 0 && right.length === found.length,
  );
}

const utterances = named('utterance');
const scoredAt = new Map(utterances.map(({ spanId }) => [spanId, 0]));
for (const { parentSpanId } of named('node utterance'))
  scoredAt.set(parentSpanId, (scoredAt.get(parentSpanId) ?? 0) + 1);
const alone = [...scoredAt.values()].filter((nodes) => nodes !== 1).length;
hold(
  'utterances of the gateway without exactly one of a node',
  `${alone} of ${utterances.length}`,
  alone === 0 && utterances.length > 0 && utterances.every((span) => sent(span, 'gateway')),
);

const traces = byTrace(spans);
const ofUtterances = [...traces.values()].filter((own) => own.some(({ name }) => name === 'utterance'));
const trees = ofUtterances.filter((own) => {
  const roots = own.filter(({ parentSpanId }) => !parentSpanId);
  return (
    roots.length === 1 &&
    roots[0].name === 'utterance' &&
    own.every((span) => !span.parentSpanId || byId.get(span.parentSpanId)?.traceId === span.traceId)
  );
});
hold(
  'traces of utterances that are one tree, its root at the gateway',
  `${trees.length} of ${ofUtterances.length}`,
  trees.length === ofUtterances.length,
);
const crossing = ofUtterances.filter((own) => new Set(own.map(({ service }) => service)).size === 2).length;
hold('of them with spans of both processes', `${crossing} of ${ofUtterances.length}`, crossing === ofUtterances.length);
const sessions = new Set(named('session').map(({ spanId }) => spanId));
const linked = utterances.filter(({ links = [] }) => links.some(({ spanId }) => sessions.has(spanId))).length;
hold('utterances linked with a session in the file', `${linked} of ${utterances.length}`, linked === utterances.length);

// One machine, two clocks that were read apart: some milliseconds are theirs.
const slack = 5_000_000n;
const inside = named('node utterance').filter((span) => {
  const [[from, to], [begin, finish]] = [ns(span), ns(byId.get(span.parentSpanId))];
  return from >= begin - slack && to <= finish + slack;
}).length;
hold(
  "of the node's, within the time of the gateway's",
  `${inside} of ${named('node utterance').length}`,
  inside === named('node utterance').length,
);

// What the gateway wrote below a feedback came over the trunk: the node has the same, to the microsecond.
const stages = ['queue', 'features', 'asr', 'scoring'];
const timesBelow = (feedback, prefix) => {
  const below = new Map(named(feedback).map(({ spanId, traceId }) => [spanId, { traceId }]));
  for (const span of spans) {
    const stage = span.name.slice(prefix.length);
    if (span.name.startsWith(prefix) && stages.includes(stage) && below.has(span.parentSpanId))
      below.get(span.parentSpanId)[stage] = ms(span);
  }
  return [...below.values()];
};
const atNode = byTrace(timesBelow('node feedback', 'node '));
const atGateway = timesBelow('feedback', '');
const same = (a, b) => stages.every((stage) => Math.abs((a[stage] ?? 0) - (b[stage] ?? 0)) < 0.005);
const known = atGateway.filter((times) => (atNode.get(times.traceId) ?? []).some((other) => same(times, other))).length;
hold(
  'feedback of the gateway whose stages a node of its trace has, too',
  `${known} of ${atGateway.length}`,
  known === atGateway.length && known > 0,
);
end();
