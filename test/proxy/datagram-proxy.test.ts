import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type DatagramProxy, type DatagramProxyOptions, startDatagramProxy } from '../../src/proxy/datagram-proxy.ts';
import { iid, symmetric } from '../kit/profiles.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

describe('a proxy of UDP', () => {
  it.each(['127.0.0.1', '::1'])(
    'passes datagrams of several clients on, and answers back to each (%s)',
    async (host) => {
      const upstream = await echo(host);
      const proxy = await start(upstream.port, { listen: { host, port: 0 }, upstream: { host, port: upstream.port } });
      const clients = await Promise.all(
        ['one', 'two', 'three'].map(async (text) => ({ text, socket: await bound(host) })),
      );
      for (const { text, socket } of clients) socket.send(text, proxy.port, host);
      const heard = await Promise.all(clients.map(async ({ socket }) => String((await once(socket, 'message'))[0])));
      expect(heard).toEqual(['one', 'two', 'three']);
      expect(upstream.sources.size).toBe(3);
      const second = proxy.takeSecond();
      expect(second).toMatchObject({ open: 3, up: { datagrams: 3, passed: 3 }, down: { datagrams: 3, passed: 3 } });
      // A machine under load only adds to lateness, which is counted apart.
      expect([second.up.p50_ms, second.down.max_ms]).toEqual([expect.closeTo(2, 1), expect.closeTo(2, 1)]);
      expect(proxy.stop()).toMatchObject({
        protocol: 'udp',
        clients: { seen: 3, open: 3, idle: 0, refused: 0, moved: 0, unreachable: 0 },
      });
    },
  );

  it('loses what the network loses, each way', async () => {
    const upstream = await echo();
    const proxy = await start(upstream.port, { network: symmetric(1, iid(1)) });
    const client = await bound();
    for (let number = 0; number < 20; number++) client.send('x', proxy.port, '127.0.0.1');
    await vi.waitFor(() => expect(proxy.takeSecond().up.lost + upstream.sources.size).toBeGreaterThan(0), 20_000);
    expect(upstream.sources.size).toBe(0);
  });

  it('turns away clients beyond the most, and says so once', async () => {
    const upstream = await echo();
    const events: string[] = [];
    const proxy = await start(upstream.port, { mostClients: 1, onEvent: (sentence) => events.push(sentence) });
    const first = await bound();
    first.send('x', proxy.port, '127.0.0.1');
    await once(first, 'message');
    const second = await bound();
    second.send('x', proxy.port, '127.0.0.1');
    second.send('x', proxy.port, '127.0.0.1');
    await vi.waitFor(() => expect(events).toHaveLength(1), 20_000);
    expect(events[0]).toBe('1 clients are there; datagrams of others are dropped');
  });

  it('says once that nothing answers, and goes on', async () => {
    const gone = await bound();
    const { port } = gone.address();
    gone.close();
    const events: string[] = [];
    const proxy = await start(port, { onEvent: (sentence) => events.push(sentence) });
    const client = await bound();
    await vi.waitFor(() => {
      client.send('x', proxy.port, '127.0.0.1');
      expect(events).not.toEqual([]);
    }, 20_000);
    client.send('x', proxy.port, '127.0.0.1');
    expect(events).toEqual([`nothing answers at 127.0.0.1:${port} (ECONNREFUSED); datagrams go on being sent there`]);
    expect(proxy.stop().clients.unreachable).toBeGreaterThan(0);
  });

  it('says when its port is taken', async () => {
    const other = await bound();
    const { port } = other.address();
    await expect(start(1, { listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'port_in_use',
      message: `port ${port} on 127.0.0.1 is in use`,
    });
  });

  it('says when nobody knows the upstream', async () => {
    await expect(start(1, { upstream: { host: 'nobody.invalid', port: 9 } })).rejects.toMatchObject({
      code: 'bad_flag',
      message: '--upstream: nobody knows the address of "nobody.invalid"',
    });
  });
});

async function start(port: number, options: Partial<DatagramProxyOptions> = {}): Promise<DatagramProxy> {
  const proxy = await startDatagramProxy({
    network: symmetric(2),
    seed: 1,
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { host: '127.0.0.1', port },
    onEvent() {},
    ...options,
  });
  let stopped: ReturnType<DatagramProxy['stop']> | undefined;
  const stop = () => {
    stopped ??= proxy.stop();
    return stopped;
  };
  cleanups.push(stop);
  return { ...proxy, stop };
}

async function bound(host = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  let open = true;
  socket.once('close', () => {
    open = false;
  });
  cleanups.push(() => {
    if (open) socket.close();
  });
  return socket;
}

/** Sends back what it hears; the ports that it heard from. */
async function echo(host?: string): Promise<{ port: number; sources: Set<number> }> {
  const socket = await bound(host);
  const sources = new Set<number>();
  socket.on('message', (bytes, { port, address }) => {
    sources.add(port);
    socket.send(bytes, port, address);
  });
  return { port: socket.address().port, sources };
}
