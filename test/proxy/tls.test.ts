import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type NetworkProxy, startProxy } from '../../src/proxy/proxy.ts';
import { connect, finalPhones, startMessage } from '../server/kit/client.ts';
import { serve } from '../server/kit/serve.ts';
import { iid, symmetric } from '../sim/profiles.ts';

const pem = (name: string) => readFileSync(join(import.meta.dirname, `../server/golden/localhost.${name}.pem`), 'utf8');
const tls = { certificate: pem('cert'), key: pem('key') };
const oneWayMs = 25;

let proxy: NetworkProxy | undefined;
afterEach(() => void proxy?.stop());

test.each([
  ['tcp', 0],
  ['tcp-tls', 0],
  ['tcp-tls', 0.05],
] as const)('a wss client reads through a network of %s with %d loss as it does without', async (transport, loss) => {
  const straight = await serve();
  const server = await serve({ tls });
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
