import { setTimeout as wait } from 'node:timers/promises';
import { type EmbeddedServer, startEmbedded } from '../../src/load/service/embedded-server.ts';
import { connect, startMessage } from '../../test/kit/server/client.ts';
import { feedbackP95Ms } from '../load/feedback-p95.ts';
import { comparePaired } from '../load/paired.ts';

export type LiveOptions = { store: string; broker: string; sessions: number; seconds: number; rounds: number };

/**
 * What handing over adds to the p95 of learners who go on: two servers side by side with a store,
 * one with a Kafka too. At each of them four times a second somebody says half a second and is gone
 * for good, which the second one hands over. No worker runs: it would take the machine from both.
 */
export async function liveCost({ store, broker, sessions, seconds, rounds }: LiveOptions): Promise<string> {
  const servers: EmbeddedServer[] = [];
  // A server that still learns how many it carries refuses half of them on a slow machine.
  const admission = ['--limit', `fixed_sessions=${sessions + coming}`, '--limit', 'overload_delay_ms=500'];
  const usual = ['--store', store, '--limit', 'resume_ttl_ms=1', ...admission];
  try {
    servers.push(await serve(usual));
    servers.push(await serve([...usual, '--kafka', broker, '--keep-audio', '1h']));
    const [without, withIt] = servers as [EmbeddedServer, EmbeddedServer];
    const p95Ms = ({ url }: EmbeddedServer, s: number) =>
      whileSomeGo(url, feedbackP95Ms(url, { sessions, seconds: s }));
    // The first test has V8's compiler in it, at both.
    for (const server of servers) await p95Ms(server, 5);
    const before = await handedAt(withIt);
    const compared = await comparePaired({
      ...{ rounds, what: 'handoff' },
      without: () => p95Ms(without, seconds),
      withIt: () => p95Ms(withIt, seconds),
    });
    const handed = (await handedAt(withIt)) - before;
    if (handed === 0) throw new Error('nothing was handed over, so that nothing was measured');
    return `p95(feedback_latency) of ${sessions} live sessions, ${handed} utterances handed over meanwhile\n${compared}`;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Until it is settled, somebody comes each 250 ms, and goes in the middle of a word. */
async function whileSomeGo<Value>(url: string, measured: Promise<Value>): Promise<Value> {
  let isOver = false;
  const over = measured.finally(() => (isOver = true));
  over.catch(() => {});
  const gone: Promise<void>[] = [];
  while (!isOver) {
    // Whom a full server refuses has nothing to hand over.
    gone.push(comeAndGo(url).catch(() => {}));
    await Promise.race([wait(250), over.catch(() => {})]);
  }
  await Promise.all(gone);
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

/** So many of those who come and go are there at once, at most. */
const coming = 20;
