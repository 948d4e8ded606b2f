import { field } from '../../path/packet-line.ts';
import { udpHeaderBytes } from '../../path/path.ts';
import { packetBytes, quicBytes } from './congestion.ts';
import { maxAckDelayUs, type QuicEnd } from './end.ts';

/** Sends what waits, as far as the window allows: what was lost first, then what is new. */
export function sendQueued(end: QuicEnd, nowUs: number): void {
  while (hasData(end) && end.congestion.inFlight < end.congestion.window) sendNext(end, nowUs);
}

/** A probe: data if there is any, else what is oldest on its way once more, else a ping. */
export function sendProbe(end: QuicEnd, nowUs: number): void {
  if (hasData(end)) sendNext(end, nowUs);
  else if (end.datagrams || end.sent.oldest === end.sent.next) sendPacket(end, 0, 0, 1, nowUs);
  else {
    const { oldest } = end.sent;
    end.counters.retransmissions++;
    const start = end.sent.start(oldest);
    sendPacket(end, start, end.sent.end(oldest), end.sent.end(oldest) - start, nowUs);
  }
}

/** An acknowledgement alone. It is not acknowledged itself, and no window holds it back. */
export function sendQuicAck(end: QuicEnd, nowUs: number): void {
  transmit(end, 0, 0, 0, -1, nowUs);
}

export function probeTimeoutUs(end: QuicEnd): number {
  return Math.round((end.srttUs + Math.max(4 * end.rttVarUs, 1000) + maxAckDelayUs) * 2 ** end.probes);
}

export function hasData(end: QuicEnd): boolean {
  return end.datagrams ? end.waiting.length > 0 : end.again.length > 0 || end.nxt < end.written;
}

function sendNext(end: QuicEnd, nowUs: number): void {
  if (end.datagrams) {
    const bytes = end.waiting.shift()!;
    sendPacket(end, end.nxt, ++end.nxt, bytes, nowUs);
  } else if (end.again.length > 0) {
    const start = end.again[0]!;
    const stop = Math.min(end.again[1]!, start + packetBytes);
    if (stop === end.again[1]) end.again.splice(0, 2);
    else end.again[0] = stop;
    end.counters.retransmissions++;
    sendPacket(end, start, stop, stop - start, nowUs);
  } else {
    const start = end.nxt;
    end.nxt = Math.min(end.written, start + packetBytes);
    sendPacket(end, start, end.nxt, end.nxt - start, nowUs);
  }
}

function sendPacket(end: QuicEnd, start: number, stop: number, bytes: number, nowUs: number): void {
  const number = end.sent.next;
  end.counters.packets++;
  end.sent.push(nowUs, start, stop, bytes + quicBytes);
  end.congestion.inFlight += bytes + quicBytes;
  end.lastSentUs = nowUs;
  end.probeUs = nowUs + probeTimeoutUs(end);
  transmit(end, start, stop, bytes, number, nowUs);
}

/** Every packet carries the latest ranges of numbers that were seen. */
function transmit(end: QuicEnd, start: number, stop: number, bytes: number, number: number, nowUs: number): void {
  const { line, seen } = end;
  const slot = line.send(nowUs, bytes + quicBytes + udpHeaderBytes);
  if (slot >= 0) {
    const { ring } = line;
    const blocks = Math.min(seen.length / 2, 3);
    ring[slot + field.seq] = start;
    ring[slot + field.end] = stop;
    ring[slot + field.stamp] = number;
    ring[slot + field.ack] = Math.min(nowUs - end.largestSeenUs, maxAckDelayUs);
    ring[slot + field.flags] = blocks;
    for (let at = 0; at < 2 * blocks; at++) ring[slot + field.first + at] = seen[at]!;
  }
  end.unacked = 0;
  end.ackUs = Number.POSITIVE_INFINITY;
}
