import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { launchGateway } from '../../../src/server/cluster/launch.ts';
import type { GatewayProcess } from '../../../src/server/cluster/slot.ts';
import { Supervisor } from '../../../src/server/cluster/supervisor.ts';
import { defaultLimits, type Limits } from '../../../src/server/limits.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { workerUrl } from '../../../src/threads/worker-url.ts';

const script = pathToFileURL('test/kit/server/slow-gateway.mjs');
const link = workerUrl(pathToFileURL('src/server/cluster/link.ts').href, 'link.js').href;
const callers = 64;
const answerTurns = 4;

describe('two gateways whose turns are long', () => {
  it('share out how many callers the server takes a turn, and one that is killed takes no more along than it may', async () => {
    const acceptsATurn = 8;
    const { ring, kill } = await serveSlowly({ acceptsATurn });
    // The first callers are handed over one a turn, until both have descriptors of the port.
    await expect.poll(async () => (await ring().all).turns, { timeout: 60_000 }).toBeLessThanOrEqual(callers / 2);

    // A turn brings half of what the server takes, and one whom the parent hands over.
    expect((await ring().all).mostATurn).toBeLessThanOrEqual(acceptsATurn / 2 + 1);

    const during = ring();
    await during.first;
    await kill(1);
    const { answered, lost } = await during.all;
    expect(answered + lost).toBe(callers);
    expect(lost).toBeLessThanOrEqual(answerTurns * (acceptsATurn / 2 + 1));
    expect((await ring().all).answered).toBe(callers);
    await expect.poll(async () => (await ring().all).gateways, { timeout: 60_000 }).toEqual(['1', '2']);
  }, 150_000);

  it('take one caller a turn where accepts_a_turn is 1', async () => {
    const { ring } = await serveSlowly({ acceptsATurn: 1 });
    for (let round = 0; round < 2; round++)
      expect(await ring().all).toMatchObject({ turns: callers, answered: callers });
  }, 60_000);
});

async function serveSlowly(limits: Partial<Limits>) {
  const launched = new Map<number, GatewayProcess>();
  const supervisor = new Supervisor({
    gateways: 2,
    launch: (gateway) => {
      const started = launchGateway(script, { gateway, turnMs: 30, answerTurns, link });
      launched.set(gateway, started);
      return started;
    },
    limits: { ...defaultLimits, hungGatewayMs: 60_000, ...limits },
    tokens: 0,
    host: '127.0.0.1',
    port: 0,
    isSecure: false,
    log: createLog('silent', { write() {} }),
  });
  onTestFinished(() => supervisor.close());
  await supervisor.listen();
  await supervisor.ready;
  const port = Number(new URL(supervisor.url).port);
  return {
    kill(gateway: number): Promise<string> {
      const { kill, exited } = launched.get(gateway)!;
      kill();
      return exited;
    },
    /** So many callers at once: how many turns of gateways took them, how many a turn, and which gateways. */
    ring() {
      const answers = Array.from({ length: callers }, () => text(connect(port, '127.0.0.1')).catch(() => ''));
      return { first: Promise.race(answers), all: Promise.all(answers).then(countOf) };
    },
  };
}

function countOf(answers: readonly string[]) {
  const told = answers.filter((answer) => answer !== '');
  const byTurn = new Map<string, number>();
  for (const answer of told) byTurn.set(answer, (byTurn.get(answer) ?? 0) + 1);
  return {
    turns: byTurn.size,
    mostATurn: Math.max(...byTurn.values()),
    gateways: [...new Set(told.map((answer) => answer.split('.')[0]))].sort(),
    answered: told.length,
    lost: answers.length - told.length,
  };
}
