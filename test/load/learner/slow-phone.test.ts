import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { socketLinks } from '../../../src/client/link/websocket-connection.ts';
import { Wheel } from '../../../src/clock/wheel.ts';
import { NetworkShaper } from '../../../src/load/learner/network-shaper.ts';
import { symmetric } from '../../kit/profiles.ts';

it('a server that writes more than a slow phone can take feels it in its socket', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clock = () => performance.now();
  const wheel = new Wheel(clock());
  const turning = setInterval(() => wheel.advance(clock()), 1);
  const shaper = new NetworkShaper({ seed: 1, startMs: clock(), clock, dueMs: clock, timers: wheel });
  const phone = shaper.device(0, symmetric(1, undefined, { rateBitsPerSecond: 2_000_000 }), () => {});
  const connected = once(server, 'connection');
  // More than the kernel keeps for both ends of a loopback connection.
  const messages = 24_000;
  let heard = 0;
  const left = new Promise<number>((resolve) => {
    const link = phone.links(socketLinks({ url: `ws://127.0.0.1:${port}` }, clock))({
      opened: () => link.send('go'),
      message: () => ++heard === 100 && resolve(Number(peer?.bufferedAmount)),
      binary() {},
      pong() {},
      closed() {},
    });
  });
  const [peer] = await connected;
  await once(peer, 'message');
  for (let i = 0; i < messages; i++) peer.send('x'.repeat(1000));
  // 100 messages take the phone 0.4 s; what the kernel does not hold of the others waits in the server.
  expect(await left).toBeGreaterThan(messages * 500);
  clearInterval(turning);
  peer.terminate();
  server.close();
});
