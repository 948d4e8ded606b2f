import { field } from '../../path/packet-line.ts';
import { packetBytes } from './congestion.ts';
import { maxAckDelayUs, type QuicEnd } from './end.ts';
import { hasData, probeTimeoutUs, sendProbe } from './send.ts';

/** Receives each datagram's loss. */
type LostMessage = (number: number) => void;

const packetThreshold = 3;

/** Takes in the ranges of numbers that a packet acknowledges (RFC 9002). */
export function takeAck(end: QuicEnd, ring: Int32Array, slot: number, nowUs: number, lost: LostMessage): void {
  const blocks = ring[slot + field.flags]!;
  if (blocks === 0) return;
  const largest = ring[slot + field.first + 1]! - 1;
  const { sent, congestion } = end;
  const used = congestion.inFlight >= congestion.window - packetBytes;
  const isNew = sent.isOutstanding(largest);
  if (isNew) sampleRtt(end, nowUs - sent.sentUs(largest), ring[slot + field.ack]!);
  let any = false;
  for (let block = 0; block < blocks; block++) {
    const start = Math.max(ring[slot + field.first + 2 * block]!, sent.oldest);
    const stop = ring[slot + field.first + 2 * block + 1]!;
    for (let number = start; number < stop; number++) {
      if (!sent.isOutstanding(number)) continue;
      any = true;
      congestion.acknowledged(sent.bytes(number), sent.sentUs(number), used);
      sent.settle(number);
    }
  }
  if (!any) return;
  end.largestAcked = Math.max(end.largestAcked, largest);
  end.probes = 0;
  detectLoss(end, nowUs, lost);
  end.probeUs = congestion.inFlight > 0 ? end.lastSentUs + probeTimeoutUs(end) : Number.POSITIVE_INFINITY;
}

/**
 * Lost: three numbers behind the latest acknowledged one, or 9/8 of a round trip. The stream's
 * bytes go out again.
 */
export function detectLoss(end: QuicEnd, nowUs: number, lost: LostMessage): void {
  const { sent, congestion } = end;
  const waitUs = Math.max(Math.round((9 / 8) * Math.max(end.srttUs, end.latestUs)), 1000);
  end.lossUs = Number.POSITIVE_INFINITY;
  let firstLostUs = -1;
  let lastLostUs = -1;
  for (let number = sent.oldest; number < end.largestAcked; number++) {
    if (!sent.isOutstanding(number)) continue;
    const sentUs = sent.sentUs(number);
    if (number + packetThreshold > end.largestAcked && sentUs + waitUs > nowUs) {
      end.lossUs = Math.min(end.lossUs, sentUs + waitUs);
      continue;
    }
    if (firstLostUs < 0) firstLostUs = sentUs;
    lastLostUs = sentUs;
    congestion.lost(sent.bytes(number), sentUs, nowUs);
    if (sent.end(number) > sent.start(number)) loseContent(end, number, lost);
    sent.settle(number);
  }
  const persistentUs = 3 * (end.srttUs + Math.max(4 * end.rttVarUs, 1000) + maxAckDelayUs);
  if (lastLostUs - firstLostUs > persistentUs) congestion.collapse();
}

/** The probe timer fires: the other end is asked to say what it has. */
export function probeFires(end: QuicEnd, nowUs: number): void {
  if (end.congestion.inFlight <= 0 && !hasData(end)) {
    end.probeUs = Number.POSITIVE_INFINITY;
    return;
  }
  end.counters.timeouts++;
  end.probes = Math.min(end.probes + 1, 10);
  sendProbe(end, nowUs);
}

function loseContent(end: QuicEnd, number: number, lost: LostMessage): void {
  const { sent, again } = end;
  if (end.datagrams) lost(sent.start(number));
  else again.push(sent.start(number), sent.end(number));
}

function sampleRtt(end: QuicEnd, rttUs: number, delayUs: number): void {
  end.latestUs = rttUs;
  const adjusted = rttUs - delayUs > 0 ? rttUs - delayUs : rttUs;
  end.rttVarUs = 0.75 * end.rttVarUs + 0.25 * Math.abs(end.srttUs - adjusted);
  end.srttUs = 0.875 * end.srttUs + 0.125 * adjusted;
}
