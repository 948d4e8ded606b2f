import { afterEach, expect, it } from 'vitest';
import { type NetworkProxy, startProxy } from '../../src/proxy/proxy.ts';
import { localhostTls } from '../kit/localhost.ts';
import { iid, symmetric } from '../kit/profiles.ts';
import { connect, finalPhones, startMessage } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';

const oneWayMs = 25;

let proxy: NetworkProxy | undefined;
afterEach(() => void proxy?.stop());

it.each([
  ['tcp', 0],
  ['tcp-tls', 0],
  ['tcp-tls', 0.05],
] as const)('a wss client reads through a network of %s with %d loss as it does without', async (transport, loss) => {
  const straight = await serve();
  const server = await serve({ tls: localhostTls });
  const network = { ...symmetric(oneWayMs, loss > 0 ? iid(loss) : undefined), transport };
  proxy = await startProxy({
    network,
    seed: 1,
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { host: '127.0.0.1', port: server.port },
    onEvent() {},
  });
  const before = performance.now();
  const { url } = server;
  const events = await read(url.replace(`:${server.port}`, `:${proxy.port}`));
  // The client's TLS and upgrade cross the network twice each, and the start and its answer once more.
  expect(performance.now() - before).toBeGreaterThan(3 * 2 * oneWayMs);
  const phones = finalPhones(events);
  expect(phones).not.toEqual([]);
  expect(phones).toEqual(finalPhones(await read(straight.url)));
  expect(proxy.stop()).toMatchObject({ connections: { accepted: 1, unreachable: 0, died: 0 } });
});

async function read(url: string) {
  const client = await connect(url);
  client.send(startMessage());
  await client.until('ready');
  client.frames(0, 60);
  client.send({ type: 'close', last_seq: 60 });
  expect(await client.closed).toMatchObject({ code: 1000 });
  return client.events;
}
