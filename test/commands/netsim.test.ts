import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { networkNames } from '../../src/sim/networks/index.ts';
import { captureOutput } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const validate = new Ajv2020({ allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(resolve(import.meta.dirname, '../../schemas/netsim.schema.json'), 'utf8')),
);
const output = captureOutput();

const netsim = (...args: string[]) => main(['netsim', ...args]);
const short = ['--duration', '20s'];

describe('speechfb netsim', () => {
  it('prints one JSON document that fits its published schema', async () => {
    expect(await netsim('--delay', '25ms', '--loss', '1%', ...short, '--json')).toBe(0);
    const document = JSON.parse(output.stdout);
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
    expect(document).toMatchObject({ profile: 'custom', seed: 1, up: { p50_ms: 25.02 }, saturated: false });
    expect(output.stderr).toBe('');
  });

  it('gives the same hash for the same seed, and another for another', async () => {
    const hash = async (seed: string) => {
      output.stdout = '';
      await netsim('--delay', '25ms', '--loss', '1%', ...short, '--json', '--seed', seed);
      return JSON.parse(output.stdout).hash;
    };
    expect(await hash('1')).toBe(await hash('1'));
    expect(await hash('1')).not.toBe(await hash('2'));
  });

  it('takes a network by name in any case, and says whose figures they are', async () => {
    expect(await netsim('lte', ...short)).toBe(0);
    expect(output.stdout).toMatch(/^LTE {2}WebPageTest: 12000\/12000 kbit\/s down\/up, RTT 70 ms, no loss\n/);
    expect(output.stdout).toContain('up    35 ms, 12 Mbit/s, queue of 100 packets, no loss');
    expect(output.stdout).toMatch(/\nup +7\d\d +35\.\d ms/);
    expect(output.stdout).not.toMatch(/[┤⠤]/);
  });

  it('lets flags say otherwise, for both directions or for one', async () => {
    await netsim('LTE', '--delay', '50ms', '--down-delay', '10ms', '--rate', 'unlimited', ...short, '--json');
    expect(JSON.parse(output.stdout)).toMatchObject({ up: { p50_ms: 50.02 }, down: { p50_ms: 10.02 } });
    expect(JSON.parse(output.stdout).source).toContain('with own changes');
  });

  it('understands the words of netem', async () => {
    await netsim('--delay', '50ms', '--gemodel', '1% 32% 100% 0%', '--up-loss', 'none', ...short);
    expect(output.stdout).toContain('up    50 ms, any rate, no loss');
    expect(output.stdout).toContain('down  50 ms, any rate, 3.03 % lost in bursts of 3.1 packets');
  });

  it('draws when asked, though nobody looks', async () => {
    await netsim('VeryBad', '--duration', '60s', '--plot');
    expect(output.stdout).toMatch(/worst frame that arrived of each \d+ ms, up/);
    expect(output.stdout).toMatch(/50 % +90 % +99 %/);
    expect(Math.max(...output.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(130);
  });

  it('says that a slow link does not carry what is offered', async () => {
    expect(await netsim('Edge', '--duration', '60s')).toBe(0);
    expect(output.stdout).toMatch(
      /saturated {2}up: the connection does not carry what is offered\nundelivered {2}up: \d+ of \d+ frames had not/,
    );
  });

  it('proves nothing when nothing arrives: exit 98', async () => {
    expect(await netsim('--loss', '100%', ...short)).toBe(98);
    expect(output.stdout).toContain('never open  the connection did not open in this time');
    expect(output.stdout).toContain('no frames  nothing was delivered: this run proves nothing');
    output.stdout = '';
    expect(await netsim('--loss', '100%', ...short, '--json')).toBe(98);
    expect(validate(JSON.parse(output.stdout)), JSON.stringify(validate.errors)).toBe(true);
  });

  it('counts frames that an outage keeps for ever as late for ever', async () => {
    const network = join(temporaryDirectory(), 'outage.yaml');
    writeFileSync(network, 'networks: {a: {extends: LTE, events: [{outage: {at: 10s, gap: 10m, mode: drop}}]}}');
    expect(await netsim(network, '--duration', '60s', '--json')).toBe(0);
    const document = JSON.parse(output.stdout);
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
    expect(document.up).toMatchObject({ mean_ms: null, p50_ms: null, p95_ms: null, p99_ms: null, max_ms: null });
    const never = document.up.undelivered / (document.up.frames + document.up.undelivered);
    expect(document.up).toMatchObject({ over_400ms: never, over_1s: never });
    expect(never).toBeCloseTo(0.91, 2);
    output.stdout = '';
    await netsim(network, '--duration', '60s', '--plot');
    expect(output.stdout).toMatch(/\nup +25\d +never +never +never +never +never +never +91 % +91 %/);
    expect(output.stdout).toMatch(/undelivered {2}up: 2500 of 2750 frames had not arrived 10 s after the end/);
    expect(output.stdout).toMatch(/worst frame that arrived of each/);
  });

  it.each([
    ['tcp', 0, 0],
    ['quic-datagram', null, 0.1],
  ])('counts lost datagrams as late for ever: over %s', async (transport, p95, over) => {
    await netsim('LTE', '--transport', transport, '--up-loss', '10%', '--duration', '60s', '--json');
    const { up } = JSON.parse(output.stdout);
    if (p95 === null) expect(up).toMatchObject({ p95_ms: null, mean_ms: null });
    else expect(up.p95_ms).toBeGreaterThan(35);
    expect(up.lost / (up.frames + up.lost)).toBeCloseTo(over, 1);
    if (over > 0) expect(up).toMatchObject({ over_400ms: up.lost / (up.frames + up.lost), p50_ms: 35.503 });
  });

  it('says which events of the network come after the end', async () => {
    const network = join(temporaryDirectory(), 'late.yaml');
    writeFileSync(network, 'networks: {a: {extends: LTE, events: [{outage: {at: 20s, gap: 1s, mode: drop}}]}}');
    await netsim(network, ...short);
    expect(output.stdout).toContain('not played  outage of 1 s at 20 s, packets are lost: this run ends at 20 s');
  });

  it('marks QUIC as modelled', async () => {
    await netsim('LTE', '--transport', 'quic-stream', ...short);
    expect(output.stdout).toContain('over  quic-stream (modelled, not measured)');
    expect(output.stdout).toContain(
      'modelled  QUIC follows its RFCs here; it was held against two real ones (docs/quic.md)',
    );
  });

  it('has many phones, each on its own', async () => {
    await netsim('VeryBad', '--clients', '5', ...short, '--json');
    expect(JSON.parse(output.stdout)).toMatchObject({ clients: 5, connect_ms: { attempted: 5 } });
  });

  it('lists every network with its source', async () => {
    expect(await netsim('--list')).toBe(0);
    for (const name of networkNames) expect(output.stdout).toContain(`\n${name} `);
    expect(
      output.stdout.split('\n').filter((line) => /RTT|one way|Loadero|nothing is delayed|LTE on a train/.test(line)),
    ).toHaveLength(networkNames.length);
  });
});

describe('a file of networks', () => {
  const directory = temporaryDirectory();
  const file = (text: string, name = 'train.yaml') => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const train = 'networks:\n  Train: {up: {delay: 40ms}}\n  tram: {extends: train, down: {delay: 60ms}}\n';

  it('is read; the first network is meant, or the one that is named', async () => {
    await netsim(file(train), ...short, '--json');
    expect(JSON.parse(output.stdout)).toMatchObject({
      profile: 'Train',
      up: { p50_ms: 40.02 },
      down: { p50_ms: 40.02 },
    });
    output.stdout = '';
    await netsim(file(train), '--network', 'TRAM', ...short, '--json');
    expect(JSON.parse(output.stdout)).toMatchObject({
      profile: 'tram',
      up: { p50_ms: 40.02 },
      down: { p50_ms: 60.02 },
    });
  });

  it('says everything that is wrong with it, and where', async () => {
    expect(await netsim(file('networks:\n  a: {up: {dealy: 40ms}}\n  b: {extends: LTEE}\n'))).toBe(2);
    expect(output.stderr).toContain('train.yaml:2:12: networks.a.up: unknown key "dealy" (did you mean "delay"?)');
    expect(output.stderr).toContain(
      'train.yaml:3:16: networks.b.extends: no network is called "LTEE" (did you mean "LTE"?)',
    );
  });

  it('may be a scenario that brings networks along', async () => {
    const scenario = readFileSync('scenarios/quickstart.yaml', 'utf8').replace(
      '../fixtures',
      `${process.cwd()}/fixtures`,
    );
    const withNetwork = scenario.replace(/^spec:\n/m, 'spec:\n  networks: {tunnel: {up: {delay: 45ms}}}\n');
    await netsim(file(withNetwork, 'scenario.yaml'), ...short, '--json');
    expect(JSON.parse(output.stdout)).toMatchObject({ profile: 'tunnel', up: { p50_ms: expect.closeTo(45, 0) } });
    expect(await netsim('scenarios/quickstart.yaml')).toBe(2);
    expect(output.stderr).toContain('quickstart.yaml:1:1: this scenario brings no networks of its own');
  });

  it('may name a trace beside it', async () => {
    file(Array.from({ length: 100 }, (_, index) => `${index * 5 + 5}\n`).join(''), 'up.pps');
    const traced = file('networks: {a: {up: {delay: 10ms}, trace: {format: mahimahi, file: up.pps}}}');
    expect(await netsim(traced, ...short)).toBe(0);
    expect(output.stdout).toContain('a trace of 500 ms (2.4 Mbit/s on average)');
    expect(await netsim(file('networks: {a: {trace: {format: mahimahi, file: gone.pps}}}'))).toBe(2);
    expect(output.stderr).toMatch(/cannot read the trace ".*gone\.pps": there is no such file.*\[unreadable_file\]/);
  });
});

describe('a mistake on the command line', () => {
  it.each([
    [['LTEE'], 'no network is called "LTEE" (did you mean "LTE"?); allowed: ideal, 5G, lte-commute'],
    [['3Gfsat'], '(did you mean "3GFast"?)'],
    [[], 'which network? Name one, such as LTE, a file, or figures such as --delay 40ms [bad_usage]'],
    [['--delay', '40'], '--delay: duration "40" has no unit; allowed: us, ms, s, m, h [bad_flag]'],
    [['--up-loss', '1'], '--up-loss: loss "1" has no unit; write it as 1%'],
    [['--gemodel', '1 2'], '--gemodel: percentage "1" has no unit'],
    [['--rate', '0kbit'], '--rate: "0kbit" never delivers anything'],
    [['--queue', 'ten'], '--queue: "ten" is not a queue'],
    [['--loss', '1%', '--gemodel', '1%'], '--loss and --gemodel say two things of one loss'],
    [['LTE', '--transport', 'udp'], '--transport: "udp" is not allowed; allowed: tcp, tcp-tls'],
    [['LTE', '--duration', '5s'], '--duration: "5s" ends before the first frame counts; allowed: above 5s'],
    [['LTE', '--duration', '500'], '--duration: duration "500" has no unit'],
    [
      ['LTE', '--duration', '23h', '--clients', '2'],
      'is too long; allowed: above 5s, all clients together at most 24h',
    ],
    [['LTE', '--seed', 'x'], '--seed: "x" is not a whole number'],
    [['LTE', '--clients', '0'], '--clients: "0" is not a whole number'],
    [['LTE', '--network', 'a'], '--network chooses from a file; name the file too'],
    [['./gone.yaml'], 'cannot read the networks "./gone.yaml": there is no such file'],
    [['LTE', '--trace', 'gone.pps'], 'cannot read the trace'],
    [['LTE', '--listen', ':9000'], '--listen and --upstream go together'],
    [['LTE', '--listen', ':0', '--upstream', 'a:1', '--clients', '2'], '--clients is of runs in virtual time'],
    [['LTE', '--upstream', 'localhost:80'], '--listen and --upstream go together'],
    [['LTE', '--listen', 'port', '--upstream', 'a:1'], '--listen: "port" is not an address; allowed: [host:]port'],
    [['LTE', '--listen', ':0', '--upstream', ':80'], '--upstream: ":80" is not an address; allowed: host:port'],
    [['LTE', '--listen', ':0', '--upstream', 'ws://a:80/'], '--upstream: "ws://a:80/" is not an address'],
    [
      ['LTE', '--listen', ':9103', '--upstream', '127.0.0.1:9103'],
      '--upstream: "127.0.0.1:9103" is where --listen listens',
    ],
    [['LTE', '--listen', ':9103', '--upstream', 'localhost:9103'], '"localhost:9103" is where --listen listens'],
    [['LTE', '--listen', '0.0.0.0:9103', '--upstream', '0.0.0.0:9103'], '"0.0.0.0:9103" is where --listen listens'],
    [
      ['LTE', '--transport', 'quic-datagram', '--listen', ':0', '--upstream', 'a:1'],
      'cannot lose bytes as quic-datagram',
    ],
  ])('%j', async (args, message) => {
    expect(await netsim(...args)).toBe(2);
    expect(output.stderr).toContain(message);
    expect(output.stdout).toBe('');
  });

  it('is told of together with the others', async () => {
    expect(await netsim('--delay', '1', '--down-loss', '2', '--rate', 'fast')).toBe(2);
    expect(output.stderr.split('\n').map((line) => line.trim().split(':')[0])).toEqual([
      'speechfb',
      '--delay',
      '--rate',
      '--down-loss',
      '',
    ]);
  });
});
