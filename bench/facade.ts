import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { startEmbedded } from '../src/load/service/embedded-server.ts';
import { type Distribution, type OneClip, runLoadtest } from './load/run-loadtest.ts';

// Is a learner served as soon through Deepgram's protocol as through our own? The same server, the same learners by one seed,
// loaded through each in turn: percentiles of feedback latency are to be within 2 %.
//   npm run bench facade -- --learners 20 --seconds 20 --rounds 3
const { values } = parseArgs({
  options: {
    learners: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    clip: { type: 'string', default: 'locate' },
  },
});
const clip = clipOf(values.clip);
const server = await startEmbedded({
  file: process.execPath,
  args: ['bin/speechfb', 'serve', '--port', '0', '--log-level', 'error'],
});
const listen = server.url.replace('/v1/stream', '/v1/listen');
const targets = {
  speechfb: { url: server.url },
  // A pause behind the last word would end the utterance before the learner does.
  deepgram: { url: listen, protocol: 'deepgram', options: { reference: '{reference}', endpointing: 'false' } },
};
const percentiles = ['p50_ms', 'p95_ms', 'p99_ms'] as const;
const table = new Table({
  head: ['round', 'through', 'samples', 'never', ...percentiles.map((name) => name.replace('_ms', ''))],
  style: { head: [], border: [] },
});
const found: Record<keyof typeof targets, Distribution[]> = { speechfb: [], deepgram: [] };
try {
  for (let round = 1; round <= Number(values.rounds); round++) {
    // The order is turned each time, so that a machine that gets slower or faster hurts both.
    const order = (['speechfb', 'deepgram'] as const).toSorted(
      (a, b) => (round % 2 === 1 ? -1 : 1) * a.localeCompare(b),
    );
    for (const protocol of order) {
      const feedback = await measure(protocol);
      found[protocol].push(feedback);
      const row = percentiles.map((name) => (feedback[name] ?? Number.POSITIVE_INFINITY).toFixed(2));
      table.push([round, protocol, feedback.samples, feedback.never, ...row]);
      process.stderr.write(`${round} ${protocol} ${row.join(' ')}\n`);
    }
  }
} finally {
  await server.stop();
}
const differences = percentiles.map((name) => {
  const [ours, theirs] = [medianOf(found.speechfb, name), medianOf(found.deepgram, name)];
  return `${name.replace('_ms', '')} ${(((theirs - ours) / ours) * 100).toFixed(1)} %`;
});
process.stdout.write(
  `${table}\nfeedback latency in ms; ${values.learners} learners, ${values.seconds} s, seed ${values.seed}\n` +
    `through deepgram beyond through speechfb, medians of the rounds: ${differences.join(', ')} (at most 2 %)\n`,
);

async function measure(protocol: keyof typeof targets): Promise<Distribution> {
  const report = await runLoadtest(
    {
      target: targets[protocol],
      load: { learners: Number(values.learners), ramp: '2s' },
      duration: `${values.seconds}s`,
      seed: Number(values.seed),
      objectives: ['p95(feedback_latency) < 500ms'],
    },
    clip,
    20,
  );
  const feedback = report.distributions.feedback_latency;
  if (!feedback || feedback.samples === 0) throw new Error(`nothing was measured through ${protocol}`);
  return feedback;
}

function clipOf(id: string): OneClip {
  const lines = readFileSync('fixtures/audio/manifest.jsonl', 'utf8').trim().split('\n');
  const entry: OneClip | undefined = lines.map((line) => JSON.parse(line)).find((one) => one.id === id);
  if (!entry) throw new Error(`no clip ${id} in fixtures/audio/manifest.jsonl`);
  return { ...entry, audio: resolve('fixtures/audio', entry.audio) };
}

function medianOf(all: readonly Distribution[], name: (typeof percentiles)[number]): number {
  const sorted = all.map((one) => one[name] ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
