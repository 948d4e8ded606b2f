import { createServer as createHttpServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WideAccept } from '../../src/server/gateway/http/wide-accept.ts';

describe('the port of a server', () => {
  it.each([
    [16, 16, 'many in each turn of its event loop', (turns: number) => turns < 16],
    [1, 1, 'one in each turn', (turns: number) => turns >= 60],
  ])('takes at %i a turn, once twenty are there (%i descriptors), %s', async (acceptsATurn, width, _, holds) => {
    const { wide, open, accepted } = await startAccepting(acceptsATurn);
    expect(wide.width).toBe(1);
    open(20);
    while (wide.width < width || accepted() < 20) await turn();

    open(64);
    let turns = 0;
    while (accepted() < 84) {
      await turn();
      turns += 1;
    }
    expect([turns, holds(turns)]).toEqual([turns, true]);
  });

  it('answers what came in by each descriptor, and closes all of them', async () => {
    const { wide, open, port, accepted } = await startAccepting(4);
    open(20);
    while (wide.width < 4 || accepted() < 20) await turn();
    const answers = await Promise.all(
      Array.from({ length: 40 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
    );
    expect(new Set(answers)).toEqual(new Set(['here']));

    await wide.close();
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it('closes while it is still being widened', async () => {
    const { wide, open, port, accepted } = await startAccepting(16);
    open(20);
    while (accepted() < 20) await turn();
    await wide.close();
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});

async function startAccepting(acceptsATurn: number) {
  const http = createHttpServer((_, response) => response.end('here'));
  const wide = new WideAccept(http, { acceptsATurn });
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as { port: number };
  let count = 0;
  http.on('connection', () => {
    count += 1;
  });
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await wide.close();
  });
  const open = (wanted: number): void => {
    for (let left = wanted; left > 0; left--) {
      sockets.push(connect(port, '127.0.0.1').on('error', () => {}));
    }
  };
  return { wide, open, port, accepted: () => count };
}
