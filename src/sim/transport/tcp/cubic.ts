import { toTicks } from './jiffies.ts';

const hz = 250;
/** Multiplicative decrease, of 1024. */
const beta = 717;
/**
 * Packets of Reno's growth for each packet of window, times 8: 8 (1024 + beta) / 3 / (1024 - beta).
 */
const friendlyScale = 15;

/**
 * CUBIC's window growth (RFC 8312, in the integer form that Linux runs): after a loss the window
 * follows a cubic curve of time back to where it was, and is never slower than Reno would be. Times
 * are ticks.
 */
export class Cubic {
  private lastMax = 0;
  private lastCwnd = 0;
  private lastTick = 0;
  private origin = 0;
  private inflection = 0;
  private epochTick = 0;
  private acked = 0;
  private renoCwnd = 0;
  private growthAcks = 0;
  private minDelayUs = 0;
  private found = false;
  private roundEnd = 0;
  private roundStartUs = 0;
  private lastAckUs = 0;
  private roundRttUs = Number.POSITIVE_INFINITY;
  private samples = 0;

  /** The threshold after a loss at that window; the growth starts anew. */
  thresholdAfterLoss(cwnd: number): number {
    this.epochTick = 0;
    this.lastMax = cwnd < this.lastMax ? Math.floor((cwnd * (1024 + beta)) / 2048) : cwnd;
    return Math.max(Math.floor((cwnd * beta) / 1024), 2);
  }

  /** A timeout: what was learned no longer holds. */
  reset(nowUs: number, sent: number): void {
    this.lastMax = this.lastCwnd = this.lastTick = this.origin = this.inflection = 0;
    this.epochTick = this.acked = this.renoCwnd = this.growthAcks = this.minDelayUs = 0;
    this.found = false;
    this.startRound(nowUs, sent);
  }

  /** The sender was idle for so many ticks: time that does not count as growth. */
  idle(ticks: number, tick: number): void {
    if (this.epochTick > 0 && ticks > 0) this.epochTick = Math.min(this.epochTick + ticks, tick);
  }

  /**
   * Acknowledgements that the window needs to grow by one, after `acked` more packets arrived at
   * that tick.
   */
  acksForOne(cwnd: number, acked: number, tick: number): number {
    this.acked += acked;
    if (this.lastCwnd === cwnd && tick - this.lastTick <= Math.floor(hz / 32)) return this.growthAcks;
    if (this.epochTick === 0 || tick !== this.lastTick) this.followCurve(cwnd, acked, tick);
    this.befriendReno(cwnd);
    this.growthAcks = Math.max(this.growthAcks, 2);
    return this.growthAcks;
  }

  /** A round trip measured; returns whether slow start has found the path full (HyStart). */
  sample(
    rttUs: number,
    cwnd: number,
    slowStart: boolean,
    nowUs: number,
    tick: number,
    una: number,
    sent: number,
  ): boolean {
    if (this.epochTick > 0 && tick - this.epochTick < hz) return false;
    if (this.minDelayUs === 0 || this.minDelayUs > rttUs) this.minDelayUs = Math.max(1, rttUs);
    if (this.found || !slowStart || cwnd < 16) return false;
    if (una > this.roundEnd) this.startRound(nowUs, sent);
    if (nowUs - this.lastAckUs <= 2000) {
      this.lastAckUs = nowUs;
      if (nowUs - this.roundStartUs > (this.minDelayUs + 1000) / 2) this.found = true;
    }
    this.roundRttUs = Math.min(this.roundRttUs, rttUs);
    if (this.samples < 8) this.samples++;
    else if (this.roundRttUs > this.minDelayUs + Math.min(Math.max(this.minDelayUs / 8, 4000), 16_000))
      this.found = true;
    return this.found;
  }

  private startRound(nowUs: number, sent: number): void {
    this.roundStartUs = this.lastAckUs = nowUs;
    this.roundEnd = sent;
    this.roundRttUs = Number.POSITIVE_INFINITY;
    this.samples = 0;
  }

  private followCurve(cwnd: number, acked: number, tick: number): void {
    this.lastCwnd = cwnd;
    this.lastTick = tick;
    if (this.epochTick === 0) {
      this.epochTick = tick;
      this.acked = acked;
      this.renoCwnd = cwnd;
      const below = Math.max(this.lastMax - cwnd, 0);
      this.inflection = below === 0 ? 0 : Math.floor(Math.cbrt((2 ** 40 / 410) * below));
      this.origin = Math.max(this.lastMax, cwnd);
    }
    const time = Math.floor(((tick - this.epochTick + toTicks(this.minDelayUs)) * 1024) / hz);
    const away = Math.abs(time - this.inflection);
    const delta = Math.floor((410 * away * away * away) / 2 ** 40);
    const target = time < this.inflection ? this.origin - delta : this.origin + delta;
    this.growthAcks = target > cwnd ? Math.floor(cwnd / (target - cwnd)) : 100 * cwnd;
    if (this.lastMax === 0 && this.growthAcks > 20) this.growthAcks = 20;
  }

  private befriendReno(cwnd: number): void {
    const each = Math.floor((cwnd * friendlyScale) / 8);
    while (this.acked > each) {
      this.acked -= each;
      this.renoCwnd++;
    }
    if (this.renoCwnd > cwnd) {
      this.growthAcks = Math.min(this.growthAcks, Math.floor(cwnd / (this.renoCwnd - cwnd)));
    }
  }
}
