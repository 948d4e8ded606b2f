import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Relay } from '../../../../src/server/gateway/outside/relay.ts';
import { defer } from '../../../../src/threads/defer.ts';

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** `atOnce`: what became of a datagram before the other gateway could answer. */
type Relayed = { outer: WebSocket; relay: Relay; atOnce: string; failed: Promise<string> };

/** A client whose socket is relayed to `port`: both ends of its socket, and why that failed. */
async function relayed(port: number): Promise<Relayed & { client: WebSocket }> {
  const http = createHttp();
  const sockets = new WebSocketServer({ noServer: true });
  const begun = new Promise<Relayed>((resolve) => {
    http.on('upgrade', (request, transport, head) => {
      sockets.handleUpgrade(request, transport, head, (outer) => {
        const { promise: failed, resolve: onFailed } = defer<'gone' | 'silent'>();
        const said = [{ data: Buffer.from('first'), isBinary: false }];
        const relay = new Relay({ outer, transport, port, headers: { 'x-who': 'me' }, said, onFailed });
        relay.begin();
        resolve({ outer, relay, atOnce: relay.sayBeside(Buffer.alloc(1)), failed });
      });
    });
  });
  const client = new WebSocket(`ws://127.0.0.1:${await portOf(http)}/`);
  onTestFinished(() => client.terminate());
  await once(client, 'open');
  return { client, ...(await begun) };
}

describe('a relay to another gateway', () => {
  it('says that it is gone when nobody listens there', async () => {
    const server = createServer();
    const port = await portOf(server);
    server.close();
    expect(await (await relayed(port)).failed).toBe('gone');
  });

  it('says that it is silent when nobody answers, as a stopped process', async () => {
    const port = await portOf(createServer());
    expect(await (await relayed(port)).failed).toBe('silent');
  });

  it('reads no faster from one side than the other reads', async () => {
    const http = createHttp();
    const sockets = new WebSocketServer({ server: http });
    const arrived = once(sockets, 'connection');
    const { client, outer } = await relayed(await portOf(http));
    client.pause();
    const [inner, request] = (await arrived) as [WebSocket, { headers: Record<string, string> }];
    expect(request.headers['x-who']).toBe('me');
    expect(String((await once(inner, 'message'))[0])).toBe('first');
    const sent = 400;
    for (let i = 0; i < sent; i++) inner.send(Buffer.alloc(65_536, i));
    // The kernel takes some megabytes; the rest waits where it was written, and the session sees that.
    await expect.poll(() => outer.bufferedAmount).toBeGreaterThan(65_536);
    expect(outer.bufferedAmount).toBeLessThan(1_000_000);
    expect(inner.bufferedAmount).toBeGreaterThan(1_000_000);
    let received = 0;
    client.on('message', (data: Buffer) => {
      if (data[0] === received % 256) received++;
    });
    client.resume();
    await expect.poll(() => received).toBe(sent);
    inner.close(4409, 'taken over');
    expect((await once(client, 'close'))[0]).toBe(4409);
  });

  it('drops what comes beside the socket when the other gateway does not answer yet, or does not read', async () => {
    const http = createHttp();
    const sockets = new WebSocketServer({ server: http });
    const arrived = once(sockets, 'connection');
    const { relay, atOnce } = await relayed(await portOf(http));
    const frame = Buffer.alloc(65_536);
    expect(atOnce).toBe('early');
    const [inner] = (await arrived) as [WebSocket];
    await once(inner, 'message');
    inner.pause();
    const outcomes = Array.from({ length: 500 }, () => relay.sayBeside(frame));
    const heard = outcomes.indexOf('unread');
    // The kernel takes some megabytes.
    expect(heard).toBeGreaterThan(0);
    expect(heard).toBeLessThan(400);
    expect(new Set(outcomes.slice(heard))).toEqual(new Set(['unread']));
    inner.resume();
    let received = 0;
    inner.on('message', () => {
      received += 1;
    });
    await expect.poll(() => received).toBe(heard);
    expect(relay.sayBeside(frame)).toBe('heard');
  });

  it('cuts one side when the other is cut', async () => {
    const http = createHttp();
    const sockets = new WebSocketServer({ server: http });
    const arrived = once(sockets, 'connection');
    const { client } = await relayed(await portOf(http));
    const [inner] = (await arrived) as [WebSocket];
    inner.terminate();
    expect((await once(client, 'close'))[0]).toBe(1006);
  });
});
