import { CWR, NOTHING, OPEN, PROBE, REORDER, RETRANSMIT, type TcpEnd } from './end.ts';
import { tickUs, toTicks } from './jiffies.ts';

/** Sets the one transmission timer to so many ticks. */
export function setTimer(end: TcpEnd, what: number, ticks: number, nowUs: number): void {
  end.pending = what;
  end.timerUs = end.jiffies.fires(nowUs, ticks);
}

/** Sets or clears the retransmission timer; what a probe or reordering timer has waited counts. */
export function rearmRto(end: TcpEnd, nowUs: number): void {
  if (end.segments.length === 0) {
    end.pending = NOTHING;
    end.timerUs = Number.POSITIVE_INFINITY;
    return;
  }
  let ticks = end.rtt.rtoTicks;
  if (end.pending === REORDER || end.pending === PROBE) ticks = toTicks(Math.max(untilRtoUs(end, nowUs), 1));
  setTimer(end, RETRANSMIT, ticks, nowUs);
}

/**
 * After an acknowledgement: a tail loss probe if one makes sense, else the retransmission timer.
 */
export function rearm(end: TcpEnd, nowUs: number): void {
  if (!scheduleProbe(end, true, nowUs)) rearmRto(end, nowUs);
}

/**
 * Tail loss probe (RFC 8985): after two round trips without an acknowledgement, plus a minimal
 * timeout when a single packet is out, for the other end may delay its acknowledgement; never later
 * than the retransmission timeout.
 */
export function scheduleProbe(end: TcpEnd, fromNow: boolean, nowUs: number): boolean {
  if (end.segments.length === 0 || (end.state !== OPEN && end.state !== CWR)) return false;
  let ticks = 250;
  if (end.rtt.srtt8 > 0) {
    ticks = toTicks(Math.floor(end.rtt.srtt8 / 4) + (end.segments.length === 1 ? minRtoUs : minTimeoutUs));
  }
  const untilUs = fromNow ? end.rtt.rtoUs : untilRtoUs(end, nowUs);
  if (untilUs > 0) ticks = Math.min(ticks, toTicks(untilUs));
  setTimer(end, PROBE, ticks, nowUs);
  return true;
}

/** The least that any timer waits, us. */
export const minTimeoutUs = 2000;
const minRtoUs = 200_000;

function untilRtoUs(end: TcpEnd, nowUs: number): number {
  return end.segments.sentUs(0) + end.rtt.rtoTicks * tickUs - nowUs;
}
