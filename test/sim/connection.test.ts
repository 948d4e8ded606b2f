import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionSink } from '../../src/sim/connection.ts';
import { DeviceNetwork } from '../../src/sim/network.ts';
import type { Direction, Loss, NetworkProfile, TransportName } from '../../src/sim/profile/profile.ts';
import { iid, symmetric } from '../kit/profiles.ts';

type Message = { direction: Direction; bytes: number; atUs: number };
type Heard = { what: string; direction?: Direction; number?: number; atUs: number };

/** Writes the messages at their times, lets the network come to rest, and tells what was heard. */
function play(profile: NetworkProfile, messages: readonly Message[], untilUs = 600e6, key = { seed: 1, client: 0 }) {
  const network = new DeviceNetwork(profile, key);
  const connection = network.connect(0);
  const heard: Heard[] = [];
  const sink: ConnectionSink = {
    opened: (atUs) => heard.push({ what: 'opened', atUs }),
    delivered: (direction, number, atUs) => heard.push({ what: 'delivered', direction, number, atUs }),
    lost: (direction, number, atUs) => heard.push({ what: 'lost', direction, number, atUs }),
    closed: (reason, atUs) => heard.push({ what: `closed: ${reason}`, atUs }),
    addressChanged: (atUs, retryAfterUs) => heard.push({ what: `address changed, ${retryAfterUs >= 0}`, atUs }),
  };
  for (const { direction, bytes, atUs } of messages) {
    connection.advance(atUs, sink);
    connection.write(direction, bytes, atUs);
  }
  connection.advance(untilUs, sink);
  const numbers = (what: string, direction: Direction) =>
    heard.filter((entry) => entry.what === what && entry.direction === direction).map((entry) => entry.number);
  return { heard, connection, numbers };
}

/** A frame up each 20 ms, for so many seconds. */
const speech = (seconds: number, fromUs = 1e6): Message[] =>
  Array.from({ length: seconds * 50 }, (_, index) => ({ direction: 'up', bytes: 648, atUs: fromUs + index * 20_000 }));

const anyLoss: fc.Arbitrary<Loss> = fc.oneof(
  fc.constant<Loss>({ model: 'none' }),
  fc.double({ min: 0, max: 0.08, noNaN: true }).map(iid),
  fc.constant<Loss>({
    model: 'gilbert-elliott',
    clock: 'time',
    goodUs: 2e6,
    badUs: 100_000,
    lossGood: 0,
    lossBad: 0.8,
  }),
);
const anyMessages = fc
  .array(
    fc.record({
      direction: fc.constantFrom<Direction>('up', 'down'),
      bytes: fc.integer({ min: 1, max: 5000 }),
      gapUs: fc.integer({ min: 0, max: 60_000 }),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((list) => {
    let atUs = 0;
    return list.map(({ direction, bytes, gapUs }): Message => {
      atUs += gapUs;
      return { direction, bytes, atUs };
    });
  });

describe.each<TransportName>(['tcp', 'tcp-tls', 'quic-stream'])('a stream over %s', (transport) => {
  it('delivers every message, in order, never before it was written and has crossed the path', () => {
    fc.assert(
      fc.property(anyLoss, anyMessages, fc.integer({ min: 0, max: 150 }), fc.nat(), (loss, messages, delayMs, seed) => {
        const profile = symmetric(delayMs, loss, {}, { transport });
        const { heard, connection } = play(profile, messages, 3000e6, { seed, client: 1 });
        for (const direction of ['up', 'down'] as const) {
          const written = messages.filter((message) => message.direction === direction);
          const got = heard.filter((entry) => entry.what === 'delivered' && entry.direction === direction);
          expect(got.map((entry) => entry.number)).toEqual(written.map((_, number) => number));
          expect(got.every((entry, number) => entry.atUs >= written[number]!.atUs + delayMs * 1000)).toBe(true);
          expect(got.every((entry, at) => at === 0 || entry.atUs >= got[at - 1]!.atUs)).toBe(true);
          const { bytesWritten, bytesDelivered } = connection.counters[direction];
          expect(bytesDelivered - bytesWritten).toBe(transport === 'tcp-tls' ? 22 * written.length : 0);
          expect(connection.bufferedBytes(direction)).toBe(0);
        }
        expect(heard.map((entry) => entry.atUs)).toEqual(heard.map((entry) => entry.atUs).toSorted((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });

  it('is in the end as fast again as before, after a gap of 3 s', () => {
    const profile = symmetric(
      30,
      undefined,
      {},
      {
        transport,
        events: [{ kind: 'outage', when: { atUs: 5e6 }, gapUs: 3e6, mode: 'drop' }],
      },
    );
    const { heard } = play(profile, speech(25));
    const last = heard.filter((entry) => entry.what === 'delivered').at(-1)!;
    expect(last).toMatchObject({ number: 1249, atUs: 1e6 + 1249 * 20_000 + 30_020 });
  });
});

describe('datagrams', () => {
  const profile = symmetric(25, iid(0.05), {}, { transport: 'quic-datagram' });

  it('come or are lost, once each, and are not sent again', () => {
    const { numbers, connection } = play(profile, speech(60));
    const both = [...numbers('delivered', 'up'), ...numbers('lost', 'up')];
    expect(both.toSorted((a, b) => a! - b!)).toEqual(speech(60).map((_, number) => number));
    expect(numbers('lost', 'up').length / 3000).toBeCloseTo(0.05, 1);
    expect(connection.counters.up.retransmissions).toBe(0);
  });

  it('do not wait for one that is lost', () => {
    const { heard } = play(profile, speech(60));
    const late = heard.filter(
      (entry) => entry.what === 'delivered' && entry.atUs > 1e6 + entry.number! * 20_000 + 26_000,
    );
    expect(late.length / 3000).toBeLessThan(0.03);
  });
});

describe('opening', () => {
  it.each<[TransportName, number]>([
    ['tcp', 3],
    ['tcp-tls', 4],
    ['quic-stream', 3],
  ])('over %s takes the name and the handshakes: %i round trips', (transport, trips) => {
    const { heard } = play(symmetric(50, undefined, {}, { transport }), []);
    expect(heard).toEqual([{ what: 'opened', atUs: trips * 100_000 }]);
  });

  it('does not look the name up again', () => {
    const network = new DeviceNetwork(symmetric(50), { seed: 1, client: 0 });
    network.connect(0);
    const again = network.connect(1e6);
    let openedUs = 0;
    const sink = { delivered() {}, lost() {}, closed() {}, addressChanged() {} };
    again.advance(5e6, { ...sink, opened: (atUs) => (openedUs = atUs) });
    expect(openedUs).toBe(1_200_000);
  });

  it('sends what was written before, once it is open', () => {
    const { heard, connection } = play(symmetric(50), [{ direction: 'up', bytes: 100, atUs: 0 }]);
    expect(heard.map((entry) => entry.atUs)).toEqual([300_000, 350_020]);
    expect(connection.bufferedBytes('up')).toBe(0);
  });
});

describe('a change of address', () => {
  const events = (oldSocket: 'silent' | 'rst') =>
    [{ kind: 'ip-change', when: { atUs: 3e6 }, oldSocket, backoffUs: { first: 500_000, most: 8e6 } }] as const;
  const heardAfter = (heard: Heard[]) => heard.filter((entry) => entry.atUs >= 3e6).map((entry) => entry.what);

  it('kills a TCP connection silently: the phone is told, and nothing else happens any more', () => {
    const { heard } = play(symmetric(50, undefined, {}, { events: events('silent') }), speech(10), 30e6);
    expect(heardAfter(heard)).toEqual(['address changed, true']);
  });

  it('or resets it', () => {
    const { heard } = play(symmetric(50, undefined, {}, { events: events('rst') }), speech(10), 30e6);
    expect(heardAfter(heard)).toEqual(['address changed, true', 'closed: the phone has another address']);
  });

  it('is survived by QUIC', () => {
    const quic = symmetric(50, undefined, {}, { events: events('silent'), transport: 'quic-stream' });
    expect(play(quic, speech(10)).numbers('delivered', 'up')).toHaveLength(500);
  });

  it('lets a new connection live', () => {
    const network = new DeviceNetwork(symmetric(50, undefined, {}, { events: events('silent') }), {
      seed: 1,
      client: 0,
    });
    const sink = { opened() {}, lost() {}, closed() {}, addressChanged() {} };
    network.connect(0).advance(4e6, { ...sink, delivered() {} });
    const connection = network.connect(4e6);
    let delivered = 0;
    connection.write('up', 648, 4e6);
    connection.advance(10e6, { ...sink, delivered: () => delivered++ });
    expect(delivered).toBe(1);
  });
});

describe('a path that nothing comes back from', () => {
  it('is given up after fifteen timeouts in a row, and both ends are told', () => {
    const profile = symmetric(
      50,
      undefined,
      {},
      {
        events: [{ kind: 'outage', when: { atUs: 2e6 }, gapUs: 1e12, mode: 'drop' }],
      },
    );
    const { heard } = play(profile, speech(5), 3600e6);
    expect(heard.at(-1)!.what).toBe('closed: timed out');
    expect(heard.at(-1)!.atUs).toBeGreaterThan(900e6);
  });
});

describe('loss', () => {
  it('never makes frames faster: the mean rises with the share', () => {
    const mean = (share: number) => {
      const ms = Array.from({ length: 4 }, (_, client) => {
        const { heard } = play(symmetric(25, iid(share)), speech(40), 600e6, { seed: 1, client });
        const got = heard.filter((entry) => entry.what === 'delivered');
        return got.reduce((sum, entry) => sum + entry.atUs - 1e6 - entry.number! * 20_000, 0) / got.length / 1000;
      });
      return ms.reduce((sum, value) => sum + value, 0) / ms.length;
    };
    const means = [0, 0.01, 0.03, 0.08].map(mean);
    expect(means).toEqual(means.toSorted((a, b) => a - b));
  });
});
