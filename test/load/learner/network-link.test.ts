import { describe, expect, it } from 'vitest';
import type { Link, LinkEvents } from '../../../src/client/link/link.ts';
import { Wheel } from '../../../src/clock/wheel.ts';
import { NetworkShaper } from '../../../src/load/learner/network-shaper.ts';
import type { ChecksummedFrame } from '../../../src/protocol/frame.ts';
import { namedNetwork } from '../../../src/sim/networks/index.ts';
import type { NetworkProfile } from '../../../src/sim/profile/profile.ts';

const ideal = namedNetwork('ideal')!;
/** What two hosts take over a packet besides. */
const hostUs = 20;
const path = { ...ideal.up, delayUs: 40_000 - hostUs };
const slow: NetworkProfile = { ...ideal, up: path, down: { ...path, delayUs: 30_000 - hostUs } };

describe('a link over a network of 40 ms up and 30 ms down', () => {
  it('opens after the round trips that a phone needs: two for TCP and the upgrade, more with names and TLS', () => {
    const phone = new Rig(slow);
    phone.real.opened(real);
    phone.until(500);
    expect(phone.heard.map(({ what }) => what)).toEqual(['opened']);
    expect(Math.round(phone.heard[0]!.atMs / 70)).toBeOneOf([2, 3, 4]);
  });

  it('writes to the real socket 40 ms after the app has sent, and says so of frames', () => {
    const phone = new Rig(slow).open();
    phone.at(1000, (link) => link.send('hello'));
    phone.at(1020, (link) => link.send(frame(3200)));
    phone.until(1039);
    expect(phone.written).toEqual([]);
    phone.until(1100);
    expect(phone.written.map(({ what, atMs }) => [what, atMs])).toEqual([
      ['hello', near(1040)],
      ['frame', near(1060)],
    ]);
    expect(phone.heard.at(-1)).toMatchObject({ what: 'carried', firstSample: 3200, carriedMs: near(1060) });
  });

  it('tells the app of an event 30 ms after the server has written it', () => {
    const phone = new Rig(slow).open();
    phone.at(1000, () => phone.hears('{}'));
    phone.until(1100);
    expect(phone.heard.at(-1)).toEqual({ what: 'message {}', atMs: near(1030), downlinkMs: near(30) });
  });

  it('answers a ping of the server by way of the network, and its own ping likewise', () => {
    const phone = new Rig(slow).open();
    phone.at(1000, () => phone.real.ping?.(new Uint8Array()));
    phone.at(2000, (link) => link.ping());
    phone.until(2042);
    expect(phone.written.map(({ what, atMs }) => [what, atMs])).toEqual([
      ['pong', near(1070)],
      ['ping', near(2040)],
    ]);
    phone.at(2050, () => phone.real.pong(2050, real));
    phone.until(2100);
    expect(phone.heard.at(-1)).toEqual({ what: 'pong', atMs: near(2080) });
  });

  it('answers one ping of a flood at a time, the newest, and reads no more than it can hold', () => {
    const phone = new Rig(slow).open();
    let pings = 0;
    for (let i = 0; i < 5000 && !phone.ends.includes('paused'); i++)
      phone.at(1000, () => {
        phone.real.ping?.(new Uint8Array([pings++ & 255]));
      });
    expect(pings).toBeGreaterThan(2000);
    expect(pings).toBeLessThan(2100);
    phone.until(5000);
    expect(phone.ends).toEqual(['paused', 'resumed']);
    expect(phone.written.length).toBeLessThan(5);
    expect(phone.written[0]).toMatchObject({ what: 'pong' });
  });

  it('what an event leads to is sent at the time of the event, however late the wheel turns', () => {
    const phone = new Rig(slow).open();
    phone.onMessage = (link) => link.send('answer');
    phone.at(1000, () => phone.hears('{}'));
    phone.jump(1060);
    phone.until(1069);
    expect(phone.written).toEqual([]);
    phone.until(1072);
    expect(phone.written).toHaveLength(1);
    expect(Math.max(...phone.lateMs)).toEqual(near(29.5));
  });

  it('hears of the end of the real socket after everything the server had written', () => {
    const phone = new Rig(slow).open();
    phone.at(1000, () => {
      phone.hears('last');
      phone.real.closed(1000, 'bye', real);
    });
    phone.until(1100);
    expect(phone.heard.slice(-2)).toEqual([
      { what: 'message last', atMs: near(1030), downlinkMs: near(30) },
      { what: 'closed 1000 bye', atMs: near(1030) },
    ]);
  });

  it('learns of a refusal no sooner than the network lets it', () => {
    const phone = new Rig(slow);
    phone.real.closed(1006, 'ECONNREFUSED', real);
    phone.until(139);
    expect(phone.heard).toEqual([]);
    phone.until(500);
    expect(phone.heard.map(({ what }) => what)).toEqual(['closed 1006 ECONNREFUSED']);
  });

  it('passes nothing while the network is cut, and everything after that', () => {
    const phone = new Rig(slow).open();
    phone.at(1000, () => phone.phone.cut(500));
    phone.at(1010, (link) => link.send('hello'));
    phone.until(1500);
    expect(phone.written).toEqual([]);
    phone.until(5000);
    expect(phone.written.map(({ what }) => what)).toEqual(['hello']);
  });

  it('passes late what is sent while packets are lost, and the next as ever', () => {
    const phone = new Rig(slow).open();
    phone.at(1000, () => phone.phone.lose(1, 500));
    phone.at(1010, (link) => link.send('hello'));
    phone.until(1500);
    expect(phone.written).toEqual([]);
    phone.at(20_000, (link) => link.send('again'));
    phone.until(30_000);
    expect(phone.written.map(({ what }) => what)).toEqual(['hello', 'again']);
    expect(phone.written[1]!.atMs).toEqual(near(20_040));
  });
});

describe('a link whose way down carries 80 kbit/s', () => {
  const narrow: NetworkProfile = { ...slow, down: { ...path, rateBitsPerSecond: 80_000, queuePackets: 50 } };
  const flood = (phone: Rig, kilobytes: number) => {
    for (let i = 0; i < kilobytes; i++) phone.hears('x'.repeat(1000));
  };

  it('reads as much as a socket of the server would hold, and no more until half of that is left', () => {
    const phone = new Rig(narrow).open();
    phone.at(1000, () => flood(phone, 120));
    expect(phone.ends).toEqual([]);
    phone.at(1001, () => flood(phone, 20));
    expect(phone.ends).toEqual(['paused']);
    while (phone.ends.length < 2) phone.until(phone.nowMs + 1);
    expect(phone.ends).toEqual(['paused', 'resumed']);
    expect(phone.heard.length).toBeCloseTo(140 - 64, -1);
    phone.until(60_000);
    expect(phone.heard).toHaveLength(140);
  });

  it('holds no more than that of a server that writes whenever it may', () => {
    const phone = new Rig(narrow).open();
    let [read, most] = [0, 0];
    for (let ms = 1000; ms < 61_000; ms += 20) {
      phone.until(ms);
      if (phone.ends.at(-1) === 'paused') continue;
      flood(phone, 4);
      read += 4;
      most = Math.max(most, read - phone.heard.length);
    }
    expect(most).toBeGreaterThan(128);
    expect(most).toBeLessThan(128 + 8);
    expect(phone.ends.length).toBeGreaterThan(4);
  });

  it('does not read for the network when the app does not want to', () => {
    const phone = new Rig(narrow).open();
    phone.at(1000, () => flood(phone, 140));
    phone.at(1001, (link) => link.pause());
    phone.until(60_000);
    expect(phone.ends).toEqual(['paused']);
    phone.link.resume();
    expect(phone.ends).toEqual(['paused', 'resumed']);
  });

  it('lets what the server does not take wait where the app sees it', () => {
    const phone = new Rig(slow).open();
    phone.untaken = 5000;
    expect(phone.link.bufferedBytes).toBe(5000);
  });
});

describe('a phone that gets a new address', () => {
  const moves = (oldSocket: 'silent' | 'rst'): NetworkProfile => ({
    ...slow,
    events: [{ kind: 'ip-change', when: { atUs: 1_000_000 }, oldSocket, backoffUs: { first: 1000, most: 1000 } }],
  });

  it('leaves its old socket open and mute, and is told when to come back', () => {
    const phone = new Rig(moves('silent')).open();
    phone.at(990, (link) => link.send('lost'));
    phone.at(1500, (link) => link.send('later'));
    phone.until(3000);
    expect(phone.heard.at(-1)).toMatchObject({ what: 'died: the phone got a new address' });
    expect(phone.written).toEqual([]);
    expect(phone.ends).toEqual(['paused']);
    phone.until(70_000);
    expect(phone.ends).toEqual(['paused', 'terminated']);
  });
});

/** A moment of the network's, told by a wheel that turns each ms; packets take some us on the fastest link. */
function near(ms: number) {
  return expect.closeTo(ms + 0.5, -0.1);
}

/** One phone on a virtual clock, with the real socket played by hand. */
class Rig {
  nowMs = 0;
  readonly heard: { what: string; atMs: number; [more: string]: unknown }[] = [];
  readonly written: { what: string; atMs: number }[] = [];
  readonly ends: string[] = [];
  readonly lateMs: number[] = [];
  /** Bytes that wait in the real socket. */
  untaken = 0;
  readonly wheel = new Wheel(0);
  readonly phone;
  readonly link: Link;
  real!: LinkEvents;
  onMessage: ((link: Link) => void) | undefined;

  constructor(profile: NetworkProfile) {
    const clock = () => this.nowMs;
    const shaper = new NetworkShaper({ seed: 1, startMs: 0, clock, dueMs: clock, timers: this.wheel });
    this.phone = shaper.device(7, profile, (ms) => this.lateMs.push(ms));
    const untaken = () => this.untaken;
    const open = this.phone.links((events) => {
      this.real = events;
      const write = (what: string) => this.written.push({ what, atMs: this.nowMs });
      return {
        send: (message) => write(typeof message === 'string' ? message : 'frame'),
        ping: () => write('ping'),
        pong: () => write('pong'),
        pause: () => this.ends.push('paused'),
        resume: () => this.ends.push('resumed'),
        terminate: () => this.ends.push('terminated'),
        goodbye: () => this.ends.push('said goodbye'),
        get bufferedBytes() {
          return untaken();
        },
      };
    });
    const hear = (what: string, atMs = this.virtualMs(), more = {}) => this.heard.push({ what, atMs, ...more });
    this.link = open({
      opened: () => hear('opened'),
      message: (bytes, begin, end, atMs, downlinkMs) => {
        hear(`message ${bytes.subarray(begin, end)}`, atMs, { downlinkMs });
        this.onMessage?.(this.link);
      },
      binary: () => hear('binary'),
      pong: (atMs) => hear('pong', atMs),
      closed: (code, reason) => hear(`closed ${code} ${reason}`),
      died: (reason, atMs, retryAfterMs) => hear(`died: ${reason}`, atMs, { retryAfterMs }),
      carried: (firstSample, carriedMs) => hear('carried', this.virtualMs(), { firstSample, carriedMs }),
    });
  }

  open(): this {
    this.real.opened(real);
    this.until(500);
    this.heard.length = 0;
    this.lateMs.length = 0;
    return this;
  }

  /** The server's text comes by the real socket; its memory is used again at once. */
  hears(text: string): void {
    const bytes = Buffer.from(`<${text}>`);
    this.real.message(bytes, 1, bytes.length - 1, this.nowMs, undefined, real);
    bytes.fill(0);
  }

  at(atMs: number, what: (link: Link) => void): void {
    this.until(atMs);
    what(this.link);
  }

  until(untilMs: number): void {
    while (this.nowMs < untilMs) this.jump(Math.min(untilMs, this.nowMs + 1));
  }

  /** The wheel does not turn in between. */
  jump(toMs: number): void {
    this.nowMs = toMs;
    this.wheel.advance(toMs);
  }

  /** The wheel turns each ms here, and so does the clock. */
  virtualMs(): number {
    return Math.floor(this.nowMs);
  }
}

function frame(firstSample: number): ChecksummedFrame {
  const payload = new Uint8Array(640);
  return { codec: 'pcm_s16le', flags: 0, epoch: 0, seq: firstSample / 320, firstSample, payload, crc32: 0 };
}

/** Which link it is that tells: here there is but one. */
const real = {} as Link;
