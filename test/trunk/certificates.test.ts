import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newAuthority, type Pair } from '../../src/load/service/authority.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { NodeAddresses, parseNodeSource } from '../../src/trunk/gateway/node-addresses.ts';
import { NodePool } from '../../src/trunk/gateway/node-pool.ts';
import { TrunkCredentials } from '../../src/trunk/gateway/trunk-credentials.ts';
import { localhostTls } from '../kit/localhost.ts';
import { node, pool, poolOptions, reader, until } from '../kit/trunk/service.ts';

const authority = newAuthority('the authority of the nodes');
const nodeTls = { ...authority.issue(), authority: authority.certificate };
const none = { too_many: 0, tls: 0, silent: 0, no_trunk: 0, garbage: 0, unread: 0 };
const shown = (pair: Pair) => new TrunkCredentials({ ...pair, authority: authority.certificate });

/** A gateway that never gets in before it is renewed, and what its log says. */
function stranger(address: string, pair: Pair, by = shown(pair)) {
  const lines: string[] = [];
  const log = createLog('info', { write: (line: string) => lines.push(line) });
  const nodes = new NodeAddresses([parseNodeSource(address)]);
  const opened = new NodePool({ ...poolOptions, log, nodes, credentials: by });
  onTestFinished(() => opened.close());
  return { opened, said: () => lines.join('') };
}

describe('certificates of a trunk', () => {
  it('that expire leave open trunks alone, let none be made, and are as good as ever when renewed', async () => {
    const lines: string[] = [];
    const log = createLog('info', { write: (line: string) => lines.push(line) });
    const guarded = await node({ tls: nodeTls, log });
    const { key } = authority.issue();
    const untilMs = Date.now() + 3000;
    const short = authority.issue({ untilMs, key });
    const gateway = await pool([guarded], [], shown(short));
    const learner = reader(gateway, 'a');
    learner.speak(500);
    await until(() => learner.heardMs() === 500 && Date.now() > untilMs + 1000);
    learner.speak(500);
    await until(() => learner.heardMs() === 1000);
    const late = stranger(guarded.address, short);
    await until(() => lines.join('').includes("the gateway's certificate has expired"));
    await until(() => late.said().includes('a node is not there'));
    expect(late.opened.stats().trunks).toBe(0);
    late.opened.renew(shown(authority.issue()));
    await until(() => late.opened.stats().trunks === 1);
    expect(gateway.stats().trunks).toBe(1);
    expect(learner.errors).toEqual([]);
  });

  it('of a node that have expired keep gateways away, with the reason in their log, until they are renewed', async () => {
    const old = authority.issue({ untilMs: Date.now() - 1000 });
    const guarded = await node({ tls: { ...nodeTls, ...old } });
    const waits = stranger(guarded.address, authority.issue());
    await until(() => waits.said().includes('certificate has expired'));
    expect(waits.opened.stats().trunks).toBe(0);
    guarded.renewTls(nodeTls);
    await until(() => waits.opened.stats().trunks === 1);
  });

  it('of another authority are let in when the node has been told of it', async () => {
    const other = newAuthority('another authority');
    const lines: string[] = [];
    const log = createLog('info', { write: (line: string) => lines.push(line) });
    const guarded = await node({ tls: nodeTls, log });
    const waits = stranger(guarded.address, other.issue());
    await until(() => waits.said().includes('a node is not there'));
    expect(waits.opened.stats().trunks).toBe(0);
    expect(lines.join('')).toContain('an authority that is not in --node-ca');
    guarded.renewTls({ ...nodeTls, authority: `${authority.certificate}${other.certificate}` });
    await until(() => waits.opened.stats().trunks === 1);
  });

  it.each([
    ['127.0.0.1', false],
    ['localhost', 'localhost'],
  ])('of a node at %s are asked for by its name alone, and an address is none', async (host, asked) => {
    const { certificate, key } = authority.issue();
    const names: unknown[] = [];
    const server = createServer({ cert: certificate, key, ALPNProtocols: ['h2'] }, (socket) => {
      names.push(socket.servername);
      socket.on('error', () => {}).destroy();
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, host), 'listening');
    stranger(`${host}:${(server.address() as AddressInfo).port}`, authority.issue());
    await until(() => names.length > 0);
    expect(names[0]).toBe(asked);
  });

  it('that name another host than the gateway was given keep it away', async () => {
    const guarded = await node({ tls: { ...localhostTls, authority: authority.certificate } });
    const pair = authority.issue();
    const trusting = new TrunkCredentials({ ...pair, authority: localhostTls.certificate });
    const byAddress = stranger(guarded.address, pair, trusting);
    const byName = stranger(guarded.address.replace('127.0.0.1', 'localhost'), pair, trusting);
    await until(() => byName.opened.stats().trunks === 1);
    await until(() => byAddress.said().includes('a node is not there'));
    expect(byAddress.said()).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(byAddress.opened.stats().trunks).toBe(0);
  });

  it('that cannot be used are refused, and those before go on', async () => {
    const guarded = await node({ tls: nodeTls });
    const { key } = authority.issue();
    expect(() => guarded.renewTls({ ...nodeTls, key })).toThrow(/certificate or key of the node cannot be used/);
    expect(() => guarded.renewTls({ ...nodeTls, certificate: 'none' })).toThrow(/cannot be used/);
    await pool([guarded], [], shown(authority.issue()));
  });
});

describe("a node's port", () => {
  it('lets in so many of one address, and more when some have gone', async () => {
    const open = await node();
    const gateway = await pool([open]);
    const sockets = await Promise.all(Array.from({ length: 80 }, () => dial(open.address)));
    await until(() => sockets.filter(({ destroyed }) => destroyed).length === 80 - 63);
    const learner = reader(gateway, 'a');
    learner.speak(500);
    await until(() => learner.heardMs() === 500);
    for (const socket of sockets) socket.destroy();
    await until(() => sockets.every(({ closed }) => closed));
    await pool([open]);
  });

  it.each([
    ['plainly', undefined],
    ['under TLS', nodeTls],
  ])('closes a connection on which nothing comes, and none on which a trunk is, %s', async (_, tls) => {
    const open = await node({ silentMs: 500, ...(tls && { tls }) });
    const gateway = await pool([open], [], tls ? shown(authority.issue()) : undefined);
    const learner = reader(gateway, 'a');
    const socket = await dial(open.address);
    const untilMs = performance.now() + 1200;
    await until(() => {
      learner.speak(20);
      return performance.now() > untilMs;
    });
    await until(() => socket.destroyed);
    await until(() => learner.heardMs() > 500);
    expect(gateway.stats()).toMatchObject({ trunks: 1, rehoused: { lost: 0 } });
    const why = tls ? 'tls' : 'silent';
    await until(() => open.slots().connectionsRefused?.[why] === 1);
    expect(open.slots().connectionsRefused).toEqual({ ...none, [why]: 1 });
  });

  it('counts who says what no gateway says, and no gateway that comes and goes', async () => {
    const lines: string[] = [];
    const open = await node({ log: createLog('info', { write: (line: string) => lines.push(line) }) });
    const gateway = await pool([open], []);
    await until(() => gateway.stats().trunks === 1);
    for (const said of [
      'GET / HTTP/1.1\r\nhost: node\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nno frame of HTTP/2',
      '',
    ]) {
      const socket = await dial(open.address);
      socket.on('error', () => {});
      socket.end(said);
      await until(() => socket.destroyed);
    }
    gateway.close();
    await until(() => open.slots().trunks === 0);
    await until(() => open.slots().connectionsRefused?.no_trunk === 2);
    expect(open.slots().connectionsRefused).toEqual({ ...none, no_trunk: 2 });
    expect(lines.join('')).toContain('it said what no gateway says');
  });

  it('ends a connection that opens streams only to reset them, and no other', async () => {
    const open = await node();
    const learner = reader(await pool([open]), 'a');
    learner.speak(500);
    const session = connectHttp2(`http://${open.address}`);
    session.on('error', () => {});
    onTestFinished(() => session.destroy());
    await once(session, 'connect');
    for (let at = 0; at < 4000 && !session.destroyed; at += 1) {
      const stream = session.request({ ':method': 'POST', ':path': '/speechfb.v1.InferenceService/Trunk' });
      stream.on('error', () => {});
      stream.close(8);
      if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => session.destroyed || session.closed);
    learner.speak(500);
    await until(() => learner.heardMs() === 1000);
  });

  it.each([
    ['bytes that are no HTTP/2', (socket: Socket) => socket.write(Buffer.alloc(9000, 'GET / HTTP/1.1\r\n'))],
    ['half a preface and nothing more', (socket: Socket) => socket.write('PRI * HTTP/2.0\r\n')],
    [
      'a frame of 16 MB',
      (socket: Socket) => socket.write(Buffer.concat([preface, Buffer.of(255, 255, 255, 0, 0, 0, 0, 0, 1)])),
    ],
    [
      'a flood of settings',
      (socket: Socket) => socket.write(Buffer.concat([preface, ...Array(20_000).fill(settings)])),
    ],
    [
      'a flood of pings',
      (socket: Socket) => socket.write(Buffer.concat([preface, settings, ...Array(20_000).fill(ping)])),
    ],
  ])('serves others while one sends %s', async (_, attack) => {
    const open = await node();
    const learner = reader(await pool([open]), 'a');
    attack(await dial(open.address));
    learner.speak(500);
    await until(() => learner.heardMs() === 500);
    expect(learner.errors).toEqual([]);
  });

  it('refuses metadata of a megabyte, and goes on', async () => {
    const open = await node();
    const learner = reader(await pool([open]), 'a');
    const session = connectHttp2(`http://${open.address}`, { maxSendHeaderBlockLength: 4_000_000 });
    session.on('error', () => {});
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': '/x', large: 'x'.repeat(1_000_000) });
    let refused = false;
    for (const end of ['error', 'close', 'response']) stream.on(end, () => (refused = true));
    await until(() => refused);
    learner.speak(500);
    await until(() => learner.heardMs() === 500);
  });

  async function dial(address: string): Promise<Socket> {
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const settings = Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
  const ping = Buffer.concat([Buffer.of(0, 0, 8, 6, 0, 0, 0, 0, 0), Buffer.alloc(8)]);
});
