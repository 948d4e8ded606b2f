import { setTimeout as wait } from 'node:timers/promises';
import { steadyLoad } from '../../src/load/plan/load-profile.ts';
import { planLearners } from '../../src/load/plan/plan.ts';
import { readClips } from '../../src/load/scenario/clips.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/load/service/embedded-server.ts';
import { quantile } from '../../src/metrics/definitions.ts';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import type { GeneratorResult } from '../../src/results/merge-results.ts';
import { connect, startMessage } from '../../test/kit/server/client.ts';
import { behaviour, readAsPlanned, readTo } from '../load/reading.ts';
import { type Block, type Both, comparedBlocks } from './blocks.ts';

export type LiveOptions = {
  store: string;
  broker: string;
  /** Half of them at each server. */
  sessions: number;
  /** How long a block is, and how many sets of four there are. */
  blockSeconds: number;
  rounds: number;
};

/**
 * What handing over adds to the p95 of learners who go on: two servers side by side with a store,
 * one with a Kafka too, and learners at both all the time. In each block somebody comes to one of
 * both four times a second, says half a second and is gone for good, which the second one hands
 * over. No worker runs: it would take the machine from both.
 */
export async function liveCost({ store, broker, sessions, blockSeconds, rounds }: LiveOptions): Promise<string> {
  const each = Math.ceil(sessions / 2);
  const servers: EmbeddedServer[] = [];
  // A server that still learns how many it carries refuses half of them on a slow machine.
  const admission = ['--limit', `fixed_sessions=${each + coming}`, '--limit', 'overload_delay_ms=5000'];
  const usual = ['--store', store, '--limit', 'resume_ttl_ms=1', ...admission];
  await histogramsReady();
  try {
    servers.push(await serve(usual));
    servers.push(await serve([...usual, '--kafka', broker, '--keep-audio', '1h']));
    const [without, withIt] = servers as [EmbeddedServer, EmbeddedServer];
    const clips = readClips('fixtures/audio/manifest.jsonl');
    // The first test has V8's compiler in it, at both.
    const first = { learners: each, rampMs: 1000, durationMs: 5000, clips, seed: 1 };
    await Promise.all(servers.map(({ url }) => whileSomeGo(url, readTo({ ...first, url }))));
    const before = await handedAt(withIt);
    const blocks = inTurn(rounds, blockSeconds * 1000);
    const startAtEpochMs = Date.now() + startingMs;
    const durationMs = blocks.at(-1)!.endMs;
    const reads = servers.map(({ url }) => {
      const shape = steadyLoad(each, settleMs / 2, durationMs);
      const plans = planLearners({ shape, behaviour, seed: 2, clips });
      return readAsPlanned({ plans, clips, url, durationMs, seed: 2, loadPhases: blocks, startAtEpochMs });
    });
    await comeAndGoIn(blocks, { without, withIt }, startAtEpochMs);
    const [plain, handing] = (await Promise.all(reads)) as [GeneratorResult, GeneratorResult];
    const handed = (await handedAt(withIt)) - before;
    if (handed === 0) throw new Error('nothing was handed over, so that nothing was measured');
    const figures = { without: p95sOf(plain, blocks), withIt: p95sOf(handing, blocks) };
    const said = `p95(feedback_latency) of ${each} live sessions at each of two servers, ${handed} utterances handed over`;
    return `${said}\n${comparedBlocks(blocks, figures, mostMs)}`;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Sets of four blocks, in which both servers have their turn as A B B A, or as B A A B. */
function inTurn(rounds: number, blockMs: number): Block[] {
  return Array.from({ length: 4 * rounds }, (_, at) => {
    const beginMs = settleMs + at * blockMs;
    const isEdge = at % 4 === 0 || at % 4 === 3;
    const comesTo = isEdge === (Math.floor(at / 4) % 2 === 0) ? 'without' : 'withIt';
    return { name: `block-${at}`, beginMs, endMs: beginMs + blockMs, comesTo };
  });
}

async function comeAndGoIn(blocks: readonly Block[], servers: Both<EmbeddedServer>, startAtEpochMs: number) {
  for (const { beginMs, endMs, comesTo } of blocks) {
    await wait(Math.max(0, startAtEpochMs + beginMs - Date.now()));
    await whileSomeGo(servers[comesTo].url, wait(Math.max(0, startAtEpochMs + endMs - Date.now())));
  }
}

function p95sOf({ recording }: GeneratorResult, blocks: readonly Block[]): number[] {
  using recorder = new Recorder(recording);
  return blocks.map(({ name: phase }) => {
    using slice = recorder.merged({ phase });
    const p95 = quantile(slice.distributions.feedback_latency, 0.95);
    if (p95 === undefined) throw new Error(`no feedback was due in ${phase}`);
    return p95;
  });
}

/** Until it is settled, somebody comes each 250 ms, and goes in the middle of a word. */
async function whileSomeGo<Value>(url: string, measured: Promise<Value>): Promise<Value> {
  let isOver = false;
  const over = measured.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) {
    // Whom a full server refuses has nothing to hand over.
    comeAndGo(url).catch(() => {});
    await Promise.race([wait(250), over.catch(() => {})]);
  }
  return await over;
}

async function comeAndGo(url: string): Promise<void> {
  const client = await connect(url);
  client.send(startMessage());
  await client.until('ready');
  client.frames(0, 24);
  await client.until('ack');
  client.cut();
}

async function handedAt({ url }: EmbeddedServer): Promise<number> {
  const metrics = await fetch(url.replace(/^ws(.*)\/v1\/stream$/, 'http$1/metrics'));
  return Number(/^speechfb_handoff_utterances_total\{outcome="handed"\} (\d+)/m.exec(await metrics.text())?.[1] ?? 0);
}

function serve(args: readonly string[]): Promise<EmbeddedServer> {
  const usual = ['bin/speechfb', 'serve', '--port', '0', '--gateways', '1', '--log-level', 'error'];
  return startEmbedded({ file: process.execPath, args: [...usual, ...args] });
}

/** What handing over may add. */
const mostMs = 1;
/** So many of those who come and go are there at once, at most. */
const coming = 20;
/** Until both generators are there; the first blocks begin when all learners read steadily. */
const startingMs = 4000;
const settleMs = 4000;
