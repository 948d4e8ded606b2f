import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SpeechfbError } from '../../src/errors.ts';
import { type NetworkProxy, startProxy } from '../../src/proxy/proxy.ts';
import type { NetworkProfile } from '../../src/sim/profile/profile.ts';
import { iid, symmetric } from '../kit/profiles.ts';

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
    const slow = symmetric(1, undefined, { rateBitsPerSecond: 2_000_000, queuePackets: 50 });
    const { client } = await through(slow, echo);
    // More than the buffers of the kernel hold between the two.
    client.write(Buffer.alloc(24_000_000));
    let back = 0;
    const left = new Promise<number>((resolve) => {
      client.on('data', (bytes) => {
        back += bytes.length;
        if (back > 60_000) resolve(client.writableLength);
      });
    });
    expect(await left).toBe(24_000_000);
  });

  it('closes connections when nothing answers behind it, and says so once', async () => {
    const gone = await listening(createServer());
    gone.server.close();
    const events: string[] = [];
    const proxy = await start(symmetric(1), gone.port, (sentence) => events.push(sentence));
    for (let number = 0; number < 2; number++) {
      const client = connect(proxy.port, loopback);
      client.on('error', () => {});
      await once(client, 'close');
    }
    expect(events).toEqual([`nothing answers at ${loopback}:${gone.port} (ECONNREFUSED); connections are closed`]);
    expect(proxy.stop().connections).toEqual({ accepted: 2, unreachable: 2, died: 0 });
  });

  it('leaves both sockets open and dead after an address change that nobody is told of', async () => {
    const said = defer<string>();
    const { client, proxy, upstreams } = await dying('silent', said.resolve);
    client.write('before');
    await once(client, 'data');
    const heard: Buffer[] = [];
    client.on('data', (bytes) => heard.push(bytes));
    expect(await said.promise).toContain('this one is dead and nobody is told');
    client.write('after');
    // By the time that another connection has been there and back, this one would have been too.
    expect(String(await collect(connect(proxy.port, loopback).end('another')))).toBe('another');
    expect([heard, client.destroyed, upstreams[0]!.destroyed]).toEqual([[], false, false]);
  });

  it('resets both sockets when the address change is one that resets', async () => {
    const { client, upstreams } = await dying('rst');
    client.write('before');
    await once(client, 'data');
    const near = new Promise<Error>((resolve) => client.once('error', resolve));
    const far = new Promise<Error>((resolve) => upstreams[0]!.once('error', resolve));
    expect(await far).toMatchObject({ code: 'ECONNRESET' });
    expect(await near).toMatchObject({ code: 'ECONNRESET' });
  });

  it('gives each client a network of its own', async () => {
    const { port } = await listening(createServer(echo));
    const proxy = await start(symmetric(1, iid(0.1)), port);
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

/** Connections that live for a third of a second. */
async function dying(oldSocket: 'silent' | 'rst', onEvent: (sentence: string) => void = () => {}) {
  const backoffUs = { first: 500_000, most: 8_000_000 };
  const event = { kind: 'ip-change', when: { atUs: 300_000 }, oldSocket, backoffUs } as const;
  const upstreams: Socket[] = [];
  const far = (socket: Socket) => {
    upstreams.push(socket);
    echo(socket);
  };
  const { port } = await listening(createServer(far));
  const proxy = await start(symmetric(1, undefined, {}, { events: [event] }), port, onEvent);
  const client = connect(proxy.port, loopback);
  cleanups.push(() => client.destroy());
  return { client, proxy, upstreams };
}

async function start(
  network: NetworkProfile,
  port: number,
  onEvent: (sentence: string) => void = () => {},
): Promise<NetworkProxy> {
  const proxy = await startProxy({
    network,
    seed: 1,
    listen: { host: loopback, port: 0 },
    upstream: { host: loopback, port },
    onEvent,
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

function defer<Value>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
