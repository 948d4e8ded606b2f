import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SpeechfbError } from '../../src/errors.ts';
import { type NetworkProxy, startProxy } from '../../src/proxy/proxy.ts';
import type { NetworkProfile } from '../../src/sim/profile.ts';
import { iid, symmetric } from '../sim/profiles.ts';

const loopback = '127.0.0.1';
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

describe('a proxy that imposes a network', () => {
  it('passes every byte on, in order, both ways, whatever is lost', async () => {
    const { client } = await through(symmetric(2, iid(0.05)), echo);
    const sent = randomBytes(200_000);
    client.end(sent);
    expect(Buffer.from(await collect(client)).equals(sent)).toBe(true);
  });

  it('delays each piece by what the model says', async () => {
    const { client, proxy } = await through(symmetric(7), echo);
    for (let number = 0; number < 5; number++) {
      client.write(Buffer.alloc(100, number));
      await once(client, 'data');
    }
    const { up, down } = proxy.stop();
    // A machine under load only adds to lateness, which is counted apart.
    expect([up.pieces, up.p50_ms, down.p50_ms, down.max_ms]).toEqual([
      5,
      expect.closeTo(7, 1),
      expect.closeTo(7, 1),
      expect.closeTo(7, 1),
    ]);
  });

  it('lets the first piece wait until the connection is open', async () => {
    const { client, proxy } = await through(symmetric(100), echo);
    client.write('hello');
    await once(client, 'data');
    expect(proxy.stop().up.max_ms).toBeGreaterThan(200);
  });

  it('passes the end of one side on, and lets the other still speak', async () => {
    const { client } = await through(symmetric(1), (socket) => {
      let heard = 0;
      socket.on('data', (bytes) => {
        heard += bytes.length;
      });
      socket.on('end', () => socket.end(`heard ${heard}`));
    });
    client.end('x'.repeat(5000));
    expect(String(await collect(client))).toBe('heard 5000');
  });

  it('passes a reset on', async () => {
    const closed = new Promise<Error | undefined>((resolve) => {
      through(symmetric(1), (socket) => {
        socket.on('error', resolve);
        socket.on('data', () => socket.write('go'));
      }).then(({ client }) => {
        client.write('hello');
        client.once('data', () => client.resetAndDestroy());
      });
    });
    expect(await closed).toMatchObject({ code: 'ECONNRESET' });
  });

  it('reads no more than the network carries', async () => {
    const slow = symmetric(1, undefined, { rateBitsPerSecond: 8_000_000, queuePackets: 50 });
    const { client } = await through(slow, echo);
    let taken = 0;
    // The kernel takes some megabytes; behind them the proxy must stop reading.
    for (; taken < 400 && client.write(Buffer.alloc(65_536)); taken++);
    client.removeAllListeners('drain');
    expect(client.writableLength).toBeGreaterThan(0);
  });

  it('closes connections when nothing answers behind it, and says so once', async () => {
    const gone = await listening(createServer());
    gone.server.close();
    const events: string[] = [];
    const proxy = await start(symmetric(1), gone.port, events);
    for (let number = 0; number < 2; number++) {
      const client = connect(proxy.port, loopback);
      client.on('error', () => {});
      await once(client, 'close');
    }
    expect(events).toEqual([`nothing answers at ${loopback}:${gone.port}; connections are closed`]);
    expect(proxy.stop().connections).toEqual({ accepted: 2, unreachable: 2, died: 0 });
  });

  it('gives each client a network of its own', async () => {
    const { port } = await listening(createServer(echo));
    const proxy = await start(symmetric(1, iid(0.3)), port);
    const clients = [connect(proxy.port, loopback), connect(proxy.port, loopback)];
    for (const client of clients) client.end('x'.repeat(20_000));
    await Promise.all(clients.map(collect));
    expect(proxy.takeSecond()).toMatchObject({ up: { bytes: 40_000 }, down: { bytes: 40_000 } });
    expect(proxy.stop().up.retransmissions).toBeGreaterThan(0);
  });

  it('says when its port is taken', async () => {
    const { port } = await listening(createServer());
    const options = { network: symmetric(1), seed: 1, upstream: { host: loopback, port }, onEvent() {} };
    const refused = startProxy({ ...options, listen: { host: loopback, port } });
    await expect(refused).rejects.toThrow(SpeechfbError);
    await expect(refused).rejects.toThrow(`port ${port} on 127.0.0.1 is in use`);
  });
});

async function through(
  network: NetworkProfile,
  server: (socket: Socket) => void,
): Promise<{ client: Socket; proxy: NetworkProxy }> {
  const { port } = await listening(createServer({ allowHalfOpen: true }, server));
  const proxy = await start(network, port);
  const client = connect({ port: proxy.port, host: loopback, allowHalfOpen: true });
  cleanups.push(() => client.destroy());
  return { client, proxy };
}

async function start(network: NetworkProfile, port: number, events: string[] = []): Promise<NetworkProxy> {
  const proxy = await startProxy({
    network,
    seed: 1,
    listen: { host: loopback, port: 0 },
    upstream: { host: loopback, port },
    onEvent: (sentence) => events.push(sentence),
  });
  cleanups.push(() => proxy.stop());
  return proxy;
}

async function listening(server: Server): Promise<{ server: Server; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  cleanups.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

function echo(socket: Socket): void {
  socket.on('error', () => {});
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('end', () => socket.end());
}

async function collect(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece);
  return Buffer.concat(pieces);
}
