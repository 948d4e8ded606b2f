import { type DrawKey, Draws } from '../stats/draws.ts';
import { LOST } from './impairments/impairment.ts';
import { streamOf } from './impairments/purposes.ts';
import type { Path } from './path/path.ts';
import type { TransportName } from './profile/profile.ts';
import { Jiffies, toTicks } from './transport/tcp/jiffies.ts';

/** What opening a connection cost, us; a part that did not happen took 0. */
export type OpeningTimes = { dnsUs: number; transportUs: number; tlsUs: number; upgradeUs: number };

/**
 * One request and its answer; a try that is lost is repeated after timeoutUs, then after twice
 * that, and so on.
 */
type Exchange = { part: keyof OpeningTimes; upBytes: number; downBytes: number; timeoutUs: number };

const second = 1_000_000;
const dns: Exchange = { part: 'dnsUs', upBytes: 90, downBytes: 150, timeoutUs: second };
const syn: Exchange = { part: 'transportUs', upBytes: 74, downBytes: 74, timeoutUs: second };
/** TLS 1.3: a hello against a certificate chain. */
const tls: Exchange = { part: 'tlsUs', upBytes: 583, downBytes: 3300, timeoutUs: 250_000 };
const upgrade: Exchange = { part: 'upgradeUs', upBytes: 500, downBytes: 250, timeoutUs: 250_000 };
const quic: Exchange = { part: 'transportUs', upBytes: 1290, downBytes: 3600, timeoutUs: second };

const exchanges: Record<TransportName, readonly Exchange[]> = {
  tcp: [syn, upgrade],
  'tcp-tls': [syn, tls, upgrade],
  'quic-stream': [quic, upgrade],
  'quic-datagram': [quic, upgrade],
};

/**
 * Opens a connection over both paths: the name, if it is not known yet, then one exchange after
 * another, each as likely to be lost as any packet. A SYN is tried again after 1, 3, 7, ... s as on
 * any system (RFC 6298); what follows knows the round trip, and a timeout is that plus 200 ms at
 * least.
 */
export class Opening {
  /** Infinity once it is open. */
  nextUs: number;
  readonly times: OpeningTimes = { dnsUs: 0, transportUs: 0, tlsUs: 0, upgradeUs: 0 };
  private readonly paths: { up: Path; down: Path };
  private readonly steps: readonly Exchange[];
  private readonly jiffies: Jiffies;
  private step = 0;
  private stepUs: number;
  private tries = 0;
  private sentUs = 0;
  private answered = false;
  /** Round trip of the exchange that went without a loss last, us. */
  rttUs = second;

  constructor(
    paths: { up: Path; down: Path },
    { transport, nameKnown, bare }: { transport: TransportName; nameKnown: boolean; bare: boolean },
    jiffies: Jiffies,
    nowUs: number,
  ) {
    this.paths = paths;
    const steps = exchanges[transport].filter(({ part }) => !bare || part === 'transportUs');
    this.steps = nameKnown ? steps : [dns, ...steps];
    this.jiffies = jiffies;
    this.nextUs = this.stepUs = nowUs;
  }

  /** Goes one step on, at nextUs. Returns whether the connection is now open. */
  advance(): boolean {
    const nowUs = this.nextUs;
    if (this.answered) {
      this.times[this.steps[this.step]!.part] += nowUs - this.stepUs;
      this.rttUs = nowUs - this.sentUs;
      this.stepUs = nowUs;
      this.step++;
      this.tries = 0;
      this.answered = false;
    }
    const exchange = this.steps[this.step];
    if (exchange === undefined) {
      this.nextUs = LOST;
      return true;
    }
    this.sentUs = nowUs;
    const there = this.paths.up.send(nowUs, exchange.upBytes);
    const back = there === LOST ? LOST : this.answer(there, exchange.downBytes);
    this.answered = back !== LOST;
    this.nextUs = this.answered ? back : this.retryUs(exchange, nowUs);
    this.tries++;
    return false;
  }

  /** The answer comes in packets of at most 1,500 bytes, and is whole when the last is there. */
  private answer(atUs: number, bytes: number): number {
    let lastUs = atUs;
    for (let left = bytes; left > 0 && lastUs !== LOST; left -= 1500) {
      lastUs = this.paths.down.send(atUs, Math.min(left, 1500));
    }
    return lastUs;
  }

  private retryUs(exchange: Exchange, nowUs: number): number {
    const known = exchange.timeoutUs < second ? 200_000 + this.rttUs : exchange.timeoutUs;
    return this.jiffies.fires(nowUs, toTicks(known * 2 ** this.tries));
  }
}

/**
 * The phase of a machine's clock against the ticks of the simulation: no two devices tick together.
 */
export function clockOf(key: DrawKey, direction: 'up' | 'down'): Jiffies {
  return new Jiffies(Math.floor(new Draws(key, streamOf(direction, 'clock')).uniform() * 2_048_000));
}
