import { maxAckDelayUs, type QuicEnd } from './end.ts';
import { sendQuicAck } from './send.ts';

/** A packet of that number was seen. Returns whether it was seen for the first time. */
export function see(end: QuicEnd, number: number, nowUs: number): boolean {
  const { seen } = end;
  let at = 0;
  while (at < seen.length && seen[at]! > number) at += 2;
  if (at < seen.length && number < seen[at + 1]!) return false;
  if (at < seen.length && seen[at + 1] === number) seen[at + 1] = number + 1;
  else seen.splice(at, 0, number, number + 1);
  if (at >= 2 && seen[at - 2] === seen[at + 1]) {
    seen[at - 2] = seen[at]!;
    seen.splice(at, 2);
  }
  if (seen.length > 64) seen.length = 64;
  if (number > end.largestSeen) end.largestSeenUs = nowUs;
  return true;
}

/**
 * Every second packet is acknowledged at once, and one out of order; the others after 25 ms at
 * most.
 */
export function scheduleAck(end: QuicEnd, number: number, nowUs: number): void {
  const inOrder = number === end.largestSeen + 1;
  end.largestSeen = Math.max(end.largestSeen, number);
  end.unacked++;
  if (end.unacked >= 2 || !inOrder) sendQuicAck(end, nowUs);
  else end.ackUs = Math.min(end.ackUs, nowUs + maxAckDelayUs);
}

/** Bytes [start, stop) of the stream arrive. Returns whether more of it is in order now. */
export function receiveStream(end: QuicEnd, start: number, stop: number): boolean {
  if (stop <= end.received) return false;
  if (start > end.received) {
    end.reassembly.add(start, stop);
    return false;
  }
  end.received = end.reassembly.advance(stop);
  return true;
}
