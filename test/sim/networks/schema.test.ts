import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/yaml.ts';
import { resolveNetworks } from '../../../src/sim/networks/resolve.ts';
import { networksFile, networksJsonSchema } from '../../../src/sim/networks/schema.ts';
import { problemsOf } from '../../kit/problems.ts';

const commute = `networks:
  my-commute:
    extends: lte
    transport: quic-stream
    tcp: {cc: cubic, rtoMin: 300ms}
    quic: {leastWindowBytes: 4800}
    up:
      delay: 30ms
      jitter: {value: 10ms, distribution: normal, correlation: 0.25}
      reorder: true
      rate: 5mbit
      queue: {packets: 60}
      loss: {model: gilbert-elliott, clock: time, good: 8s, bad: 120ms, lossBad: 0.7, lossGood: 0.001}
    down: {extends: up, rate: 12mbit}
    events:
      - {handover: {every: 45s±15s, gap: 80ms, mode: buffer}}
      - {outage: {every: 5m, gap: 3s, mode: drop}}
      - {outage: {at: 60s, gap: 2s, direction: up}}
      - {ipChange: {at: 120s, oldSocket: silent, reconnect: {backoff: 500ms..8s, jitter: full}}}
    trace: {format: mahimahi, file: up.pps}
`;

describe('a network as written', () => {
  const profile = read(commute, () => [1, 5, 9]).get('my-commute')!;

  it('becomes whole microseconds, bits per second and shares of 1', () => {
    expect(profile).toMatchObject({
      name: 'my-commute',
      transport: 'quic-stream',
      tcp: { rtoMinUs: 300_000 },
      quic: { initialWindowBytes: 12_000, leastWindowBytes: 4800 },
    });
    expect(profile.up).toEqual({
      delayUs: 30_000,
      jitter: { valueUs: 10_000, distribution: 'normal', correlation: 0.25 },
      reorder: true,
      rateBitsPerSecond: 5_000_000,
      queuePackets: 60,
      loss: {
        model: 'gilbert-elliott',
        clock: 'time',
        goodUs: 8_000_000,
        badUs: 120_000,
        lossGood: 0.001,
        lossBad: 0.7,
      },
      opportunitiesMs: [1, 5, 9],
    });
  });

  it('begins one direction as the other; a trace of the network shapes the uplink alone', () => {
    expect(profile.down).toEqual({ ...profile.up, rateBitsPerSecond: 12_000_000, opportunitiesMs: undefined });
  });

  it('has events in the order of the file', () => {
    expect(profile.events).toEqual([
      { kind: 'handover', when: { everyUs: 45_000_000, spreadUs: 15_000_000 }, gapUs: 80_000, mode: 'buffer' },
      { kind: 'outage', when: { everyUs: 300_000_000, spreadUs: 0 }, gapUs: 3_000_000, mode: 'drop' },
      { kind: 'outage', when: { atUs: 60_000_000 }, gapUs: 2_000_000, mode: 'drop', direction: 'up' },
      {
        kind: 'ip-change',
        when: { atUs: 120_000_000 },
        oldSocket: 'silent',
        backoffUs: { first: 500_000, most: 8_000_000 },
      },
    ]);
  });

  it('fits the published JSON Schema, which is current', () => {
    const published: object = JSON.parse(readFileSync('schemas/networks.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(networksJsonSchema())));
    const validate = new Ajv2020().compile(published);
    expect(validate(parse(commute)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ networks: { a: { dealy: '5ms' } } })).toBe(false);
  });
});

describe('what a network leaves out', () => {
  it('is as in its base, own or built in, whatever the order and the case', () => {
    const networks = read(`networks:
  c: {extends: B, down: {delay: 1ms}}
  b: {extends: vErYbAd, up: {loss: 0%}}
`);
    expect(networks.get('c')!.up).toEqual({ ...networks.get('b')!.up });
    expect(networks.get('b')!.up).toMatchObject({ delayUs: 500_000, loss: { model: 'none' } });
    expect(networks.get('c')!.down).toMatchObject({ delayUs: 1000, loss: { model: 'iid', share: 0.1 } });
  });

  it('is as in the other direction when there is no base', () => {
    const { up, down } = read('networks: {a: {down: {delay: 7ms, rate: 1mbit}}}').get('a')!;
    expect(up).toEqual(down);
    expect(up).toMatchObject({ delayUs: 7000, rateBitsPerSecond: 1e6, loss: { model: 'none' } });
  });

  it('may be the built-in network of the same name', () => {
    expect(read('networks: {LTE: {extends: LTE, up: {loss: 1%}}}').get('LTE')!.up).toMatchObject({
      delayUs: 35_000,
      loss: { model: 'iid', share: 0.01 },
    });
  });

  it('can be taken away again', () => {
    const { up } = read('networks: {a: {extends: loadero-3g, up: {rate: unlimited, jitter: 0ms, loss: none}}}').get(
      'a',
    )!;
    expect(up).toMatchObject({ rateBitsPerSecond: undefined, jitter: undefined, loss: { model: 'none' } });
  });

  it('says where its figures come from', () => {
    const sources = read('networks: {a: {extends: LTE}, b: {extends: a}, c: {source: a field test}, d: {}}');
    expect([...sources.values()].map(({ source }) => source)).toEqual([
      'WebPageTest: 12000/12000 kbit/s down/up, RTT 70 ms, no loss; with own changes',
      'WebPageTest: 12000/12000 kbit/s down/up, RTT 70 ms, no loss; with own changes',
      'a field test',
      'own figures',
    ]);
  });
});

describe('loss', () => {
  it.each([
    ['1%', { model: 'iid', share: 0.01 }],
    ['random 2.5%', { model: 'iid', share: 0.025 }],
    ['0%', { model: 'none' }],
    ['none', { model: 'none' }],
    ['gemodel 1% 32% 100% 0%', gemodel(0.01, 0.32, 1, 0)],
    ['gemodel 1% 32%', gemodel(0.01, 0.32, 1, 0)],
    ['gemodel 5%', gemodel(0.05, 0.95, 1, 0)],
    ['gemodel 1% 10% 70% 0.1%', gemodel(0.01, 0.1, 0.7, 0.001)],
    ['{model: iid, share: 30%}', { model: 'iid', share: 0.3 }],
    ['{model: gilbert-elliott, clock: packet, p: 0.01, r: 32%}', gemodel(0.01, 0.32, 1, 0)],
    ['{model: none}', { model: 'none' }],
  ])('%s', (written, expected) => {
    expect(read(`networks: {a: {up: {loss: ${written}}}}`).get('a')!.up.loss).toEqual(expected);
  });
});

describe('a period', () => {
  it.each(['45s±15s', '45s+-15s', '45s +/- 15s', '45s ± 15000ms'])('%s', (every) => {
    const { events } = read(`networks: {a: {events: [{outage: {every: ${every}, gap: 1s}}]}}`).get('a')!;
    expect(events[0]!.when).toEqual({ everyUs: 45_000_000, spreadUs: 15_000_000 });
  });
});

describe('a network with a mistake', () => {
  it.each([
    ['an unknown key', '{up: {dealy: 5ms}}', '1:21: networks.a.up: unknown key "dealy" (did you mean "delay"?)'],
    ['a bare number', '{up: {delay: 30}}', '1:28: networks.a.up.delay: 30 is not a duration'],
    ['a bare percentage', '{up: {loss: 1}}', '1:27: networks.a.up.loss: 1 is not a loss; write 1%'],
    ['a bare percentage in words', '{up: {loss: random 1}}', '"random 1" has no unit; write it as 1%'],
    ['a loss above all', '{up: {loss: 101%}}', '"101%" is more than 100%'],
    ['a rate of zero', '{up: {rate: 0kbit}}', '"0kbit" never delivers anything'],
    ['a rate without a unit', '{up: {rate: "5"}}', 'rate "5" has no unit; allowed: bit, kbit'],
    ['a misspelt distribution', '{up: {jitter: {value: 5ms, distribution: norml}}}', '"norml" is not allowed'],
    ['an empty queue', '{up: {queue: 0}}', '0 is not a whole number from 1 to 1000000'],
    ['a base that does not exist', '{extends: LTEE}', 'no network is called "LTEE" (did you mean "LTE"?)'],
    ['a base that is itself, and not built in', '{extends: a}', 'no network is called "a"'],
    [
      'two directions that extend each other',
      '{up: {extends: down}, down: {extends: up}}',
      'up and down extend each other',
    ],
    ['a spread beyond the period', '{events: [{outage: {every: 1s±2s, gap: 1s}}]}', 'is larger than the period itself'],
    ['an event without a time', '{events: [{outage: {gap: 1s}}]}', 'events.0.outage: needs exactly one of at, every'],
    [
      'two events in one',
      '{events: [{outage: {at: 1s, gap: 1s}, handover: {at: 1s, gap: 1s}}]}',
      'needs exactly one of handover',
    ],
    [
      'a backoff that shrinks',
      '{events: [{ipChange: {at: 1s, reconnect: {backoff: 8s..1s}}}]}',
      'ends below its beginning',
    ],
    [
      'keys of another model',
      '{up: {loss: {model: iid, share: 1%, good: 8s}}}',
      'loss.good: does not belong to model iid',
    ],
    [
      'a model without its keys',
      '{up: {loss: {model: gilbert-elliott, bad: 1s}}}',
      'a gilbert-elliott with clock: time needs good',
    ],
    ['a gemodel without figures', '{up: {loss: gemodel}}', '"gemodel" is not a gemodel'],
    [
      'an unknown transport',
      '{transport: udp}',
      '"udp" is not allowed; allowed: tcp, tcp-tls, quic-stream, quic-datagram',
    ],
    [
      'a window in which no packet has room',
      '{quic: {leastWindowBytes: 100}}',
      'leastWindowBytes: 100 is not a whole number from 1200 to 1000000000',
    ],
    ['nothing at all', '', 'networks.a: '],
  ])('%s', (_, network, message) => {
    expect(problemsIn(`networks: {a: ${network}}`)).toContain(message);
  });

  it('is told of together with all others, at its line and column', () => {
    const said = problemsIn(`networks:
  a: {extends: b, up: {delay: 5}}
  b: {extends: a, transport: udp}
  A: {}
`);
    expect(said.split('\n').map((line) => line.trim().split(' ').slice(0, 2).join(' '))).toEqual([
      'speechfb: net.yaml',
      'net.yaml:2:16: networks.a.extends:',
      'net.yaml:2:31: networks.a.up.delay:',
      'net.yaml:3:16: networks.b.extends:',
      'net.yaml:3:30: networks.b.transport:',
      'net.yaml:4:6: networks.A:',
    ]);
  });

  it('may be that there are none', () => {
    expect(problemsIn('networks: {}')).toContain('1:11: networks: is empty; describe a network');
    expect(problemsIn('')).toContain('net.yaml:1:1: is empty');
  });
});

function gemodel(p: number, r: number, lossBad: number, lossGood: number) {
  return { model: 'gilbert-elliott', clock: 'packet', p, r, lossBad, lossGood };
}

function read(source: string, readTrace?: () => readonly number[]) {
  return resolveNetworks(parseConfig('net.yaml', source, networksFile).networks, readTrace);
}

function problemsIn(source: string): string {
  return problemsOf(() => read(source));
}
