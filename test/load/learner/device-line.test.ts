import { type Duplex, duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Wheel } from '../../../src/clock/wheel.ts';
import { DeviceLine } from '../../../src/load/learner/device-line.ts';
import type { Abandoned } from '../../../src/load/learner/network-link.ts';
import { DeviceNetwork } from '../../../src/sim/network.ts';
import { namedNetwork } from '../../../src/sim/networks/index.ts';
import type { NetworkProfile } from '../../../src/sim/profile/profile.ts';

const ideal = namedNetwork('ideal')!;
const far: NetworkProfile = {
  ...ideal,
  name: 'far',
  transport: 'tcp-tls',
  up: { ...ideal.up, delayUs: 60_000 },
  down: { ...ideal.down, delayUs: 40_000 },
};

describe('a line over a network of 60 ms up and 40 ms down', () => {
  it('looks the name up, opens in a round trip more, and brings up what is written then 60 ms later, counted', async () => {
    const line = await joined();
    line.app.write('hello');
    await line.until(259);
    expect(line.heardByServer).toEqual([]);
    await line.until(265);
    expect(line.heardByServer).toEqual([[expect.closeTo(261, -0.5), 'hello']]);
    // What came within a ms is passed on at its end, and late by the rest of it.
    expect(line.up).toEqual([[5, expect.closeTo(261, -0.5), expect.closeTo(0.5, -0.1)]]);
    expect(line.line.writtenBytes).toBe(5);
  });

  it('brings down what the server says 40 ms later', async () => {
    const line = await joined();
    await line.until(300);
    line.server.write('hi');
    await line.until(339);
    expect(line.heardByApp).toEqual([]);
    await line.until(341);
    expect(line.heardByApp).toEqual([[341, 'hi']]);
    expect(line.down).toEqual([expect.closeTo(40, 0)]);
  });

  it('passes what waits and all that follows at once when it is released', async () => {
    const line = await joined();
    line.app.write('one ');
    await line.until(110);
    line.line.release();
    line.app.write('two');
    line.server.write('three');
    await line.until(111);
    expect(line.heardByServer.map(([, text]) => text).join('')).toBe('one two');
    expect(line.heardByApp).toEqual([[110, 'three']]);
  });

  it('brings the end of the server down as bytes come', async () => {
    const line = await joined();
    await line.until(300);
    line.server.end('bye');
    await line.until(339);
    expect(line.app.readableEnded).toBe(false);
    await line.until(342);
    expect(line.heardByApp).toEqual([[341, 'bye']]);
    expect(line.app.readableEnded).toBe(true);
  });

  it.each([
    ['silent', true],
    ['rst', false],
  ] as const)('dies with the address of its device (%s), and is told so', async (oldSocket, serverWaits) => {
    const events = [
      { kind: 'ip-change', when: { atUs: 300_000 }, oldSocket, backoffUs: { first: 1, most: 1 } },
    ] as const;
    const line = await joined({ ...far, events: [...events] });
    await line.until(299);
    expect(line.died).toEqual([]);
    await line.until(301);
    expect(line.died).toHaveLength(1);
    // The link ends itself then; the server of a silent device is left waiting.
    line.line.destroy();
    await line.until(310);
    expect(line.server.destroyed).toBe(!serverWaits);
    for (const one of line.abandoned) one.terminate();
    await line.until(311);
    expect(line.server.destroyed).toBe(true);
    await expect(line.line.join(duplexPair()[0])).rejects.toThrow(/address/);
  });

  it('lets a second attempt wait until the first is over, and opens another connection for it', async () => {
    const line = await joined();
    const [second, secondServer] = duplexPair();
    const waiting = line.line.join(second);
    await line.until(200);
    line.app.destroy();
    const app = await waiting;
    const heard: string[] = [];
    secondServer.on('data', (bytes) => heard.push(`${bytes}`));
    app.write('again');
    // A round trip to open, and 60 ms up.
    await line.until(359);
    expect(heard).toEqual([]);
    await line.until(361);
    expect(heard).toEqual(['again']);
  });

  it('is over at both ends at once when it is destroyed, and takes nobody any more', async () => {
    const line = await joined();
    line.line.destroy();
    await line.until(101);
    expect(line.app.destroyed).toBe(true);
    expect(line.farEnd.destroyed).toBe(true);
    await expect(line.line.join(duplexPair()[0])).rejects.toThrow('the call is over');
  });
});

/** A line whose time passes by `until` alone; it is joined at 0 and open at some 200 ms. */
async function joined(profile: NetworkProfile = far) {
  let nowMs = 0;
  const wheel = new Wheel(0);
  const network = new DeviceNetwork(profile, { seed: 1, client: 0 });
  const up: [bytes: number, atMs: number, lateMs: number][] = [];
  const down: number[] = [];
  const died: string[] = [];
  const abandoned: Abandoned[] = [];
  const nowUs = () => (wheel.turningMs ?? nowMs) * 1000;
  const line = new DeviceLine({
    time: {
      options: { clock: () => wheel.turningMs ?? nowMs, timers: wheel },
      nowUs,
      clockMs: (atUs) => atUs / 1000,
      abandon: (socket) => abandoned.push(socket),
    },
    connect: () => network.connect(nowUs(), { bare: true }),
    onLateness() {},
    events: {
      cameUp: (...all) => up.push(all),
      cameDown: (ms) => down.push(ms),
      died: (reason) => died.push(reason),
    },
  });
  const [farEnd, server] = duplexPair();
  farEnd.once('close', () => server.destroy());
  const app = await line.join(farEnd);
  const clockMs = () => wheel.turningMs ?? nowMs;
  const [heardByServer, heardByApp] = [heardBy(server, clockMs), heardBy(app, clockMs)];
  const until = async (ms: number) => {
    for (; nowMs < ms; nowMs++) {
      wheel.advance(nowMs);
      await turn();
    }
    wheel.advance(nowMs);
    await turn();
  };
  await until(0);
  return { line, app, server, farEnd, up, down, died, abandoned, heardByServer, heardByApp, until };
}

function heardBy(end: Duplex, nowMs: () => number): [atMs: number, text: string][] {
  const heard: [number, string][] = [];
  end.on('data', (bytes) => heard.push([nowMs(), `${bytes}`]));
  return heard;
}

/** Streams have passed on what they hold. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
