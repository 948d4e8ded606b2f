import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli.ts';
import { captureOutput } from '../kit/command.ts';

const validate = new Ajv2020({ allowUnionTypes: true }).compile(
  JSON.parse(readFileSync('schemas/netsim.schema.json', 'utf8')),
);
let server: Server;
let upstream: string;

beforeAll(async () => {
  server = createServer((socket) => socket.on('data', (bytes) => socket.write(bytes)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  upstream = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
const output = captureOutput();

const proxy = (...args: string[]) => main(['netsim', '--delay', '5ms', '--upstream', upstream, ...args]);

describe('speechfb netsim --listen', () => {
  it('passes on until it is stopped, which is no failure, and says what passed', async () => {
    const exit = proxy('--listen', ':0', '--json');
    const client = connect(await listeningPort(), '127.0.0.1');
    client.write('hello');
    await once(client, 'data');
    process.emit('SIGINT');
    expect(await exit).toBe(0);
    const summary = JSON.parse(output.stdout);
    expect(validate(summary), JSON.stringify(validate.errors)).toBe(true);
    expect(summary).toMatchObject({
      connections: { accepted: 1, unreachable: 0, died: 0 },
      down: { bytes: 5, pieces: 1 },
    });
    expect(output.stderr).toMatch(/^netsim: custom between 127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+; Ctrl-C ends it\n/);
    client.destroy();
  });

  it('ends by itself after --duration', async () => {
    expect(await proxy('--listen', ':0', '--duration', '20ms')).toBe(0);
    expect(output.stdout).toMatch(/^custom for .*: 0 connections, 0 died on the way, 0 found no upstream\n/);
  });

  it.each(['0s', '1e9h'])('refuses to be there for %s', async (duration) => {
    expect(await proxy('--listen', ':0', '--duration', duration)).toBe(2);
    expect(output.stderr).toContain(
      `--duration: "${duration}" is not how long a proxy can be there; allowed: above 0 s, up to 168h`,
    );
  });

  it('refuses a port that is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await proxy('--listen', taken)).toBe(2);
    other.close();
    expect(output.stderr).toMatch(
      /port \d+ on 127\.0\.0\.1 is in use \[port_in_use\]\n {2}hint: choose another with --listen/,
    );
  });

  it('refuses an address that is not of this machine', async () => {
    expect(await proxy('--listen', '192.0.2.1:0')).toBe(2);
    expect(output.stderr).toContain('cannot listen on 192.0.2.1:0');
  });

  it('warns when others may use it', async () => {
    await proxy('--listen', '0.0.0.0:0', '--duration', '1ms');
    expect(output.stderr).toContain('every machine that reaches 0.0.0.0 can use this proxy');
  });
});

describe('speechfb netsim --listen --udp', () => {
  it('passes datagrams on until it is stopped, and says what passed', async () => {
    const far = createSocket('udp4');
    far.on('message', (bytes, { port, address }) => far.send(bytes, port, address));
    await new Promise<void>((resolve) => far.bind(0, '127.0.0.1', resolve));
    const exit = main([
      ...['netsim', '--delay', '5ms', '--jitter', '1ms', '--reorder', '--udp', '--json'],
      ...['--listen', ':0', '--upstream', `127.0.0.1:${far.address().port}`],
    ]);
    const client = createSocket('udp4');
    client.send('hello', await listeningPort(), '127.0.0.1');
    await once(client, 'message');
    process.emit('SIGINT');
    expect(await exit).toBe(0);
    client.close();
    far.close();
    const summary = JSON.parse(output.stdout);
    expect(validate(summary), JSON.stringify(validate.errors)).toBe(true);
    expect(summary).toMatchObject({
      protocol: 'udp',
      clients: { seen: 1, open: 1 },
      up: { bytes: 5, datagrams: 1, passed: 1, lost: 0 },
      down: { bytes: 5, datagrams: 1, passed: 1, lost: 0 },
    });
  });

  it('ends by itself after --duration', async () => {
    expect(await proxy('--listen', ':0', '--udp', '--duration', '20ms')).toBe(0);
    expect(output.stdout).toMatch(/^custom for .*: 0 clients, 0 of them fell silent\n/);
  });

  it.each([
    [['--udp'], '--listen and --upstream go together'],
    [['--udp', '--listen', ':0', '--transport', 'quic-stream'], '--transport: "quic-stream" is simulated'],
    [['--udp', '--listen', ':0', '--clients', '2'], '--clients is of runs in virtual time'],
    [['--listen', ':0', '--transport', 'quic-datagram'], 'or --udp for a program that speaks QUIC itself'],
    [['--udp', '--listen', '192.0.2.1:0'], 'cannot listen on 192.0.2.1:0'],
    [['--udp', '--listen', 'nobody.invalid:9'], '--listen: nobody knows the address of "nobody.invalid"'],
  ])('refuses %s', async (args, message) => {
    expect(await proxy(...args)).toBe(2);
    expect(output.stderr).toContain(message);
  });

  it('refuses a proxy to itself', async () => {
    expect(await proxy('--udp', '--listen', upstream)).toBe(2);
    expect(output.stderr).toContain('is where --listen listens');
  });

  it('refuses --udp without a proxy', async () => {
    expect(await main(['netsim', 'LTE', '--udp'])).toBe(2);
    expect(output.stderr).toContain('--udp is of proxies; allowed: with --listen and --upstream');
  });
});

async function listeningPort(): Promise<number> {
  return vi.waitFor(() => {
    const port = /between 127\.0\.0\.1:(\d+)/.exec(output.stderr)?.[1];
    expect(port).toBeDefined();
    return Number(port);
  }, 20_000);
}
