import { segmentBytes, type TcpEnd } from './end.ts';
import { tickUs } from './jiffies.ts';
import { sendAck } from './transmit.ts';

/** 40 ms, in ticks: the least and the usual delay of an acknowledgement. */
const minAckTicks = 10;
const mostQuickAcks = 16;

/** Data of [seq, segmentEnd) arrives. Returns whether more of the stream is now in order. */
export function receiveData(end: TcpEnd, seq: number, segmentEnd: number, pushed: boolean, nowUs: number): boolean {
  const { reassembly } = end;
  const before = end.received;
  if (segmentEnd <= before) {
    reassembly.reportDuplicate(seq, segmentEnd);
    enterQuickAck(end);
    end.ackPending = true;
    return false;
  }
  if (seq > before) {
    reassembly.add(seq, segmentEnd);
    end.ackPending = true;
    return false;
  }
  if (seq < before) reassembly.reportDuplicate(seq, before);
  const hadGap = reassembly.ranges.length > 0;
  end.received = hadGap ? reassembly.advance(segmentEnd) : segmentEnd;
  measureArrival(end, segmentEnd - seq, pushed, nowUs);
  if (hadGap && reassembly.ranges.length === 0) end.ackNow = true;
  return true;
}

/**
 * All of it was acknowledged before: reported as a duplicate at once, and nothing else that the
 * packet says is heard.
 */
export function receiveOld(end: TcpEnd, seq: number, segmentEnd: number, nowUs: number): void {
  end.reassembly.reportDuplicate(seq, segmentEnd);
  enterQuickAck(end);
  sendAck(end, nowUs);
}

/**
 * Decides whether what arrived is acknowledged now, a little later, or with the next. What comes at
 * once is read at once: segments that are not the last of a burst do not count towards every second
 * one.
 */
export function acknowledge(end: TcpEnd, last: boolean, nowUs: number): void {
  if (!end.ackPending) return;
  const quick = end.quickAcks > 0 && !end.pingPong;
  if ((last && end.received - end.acked > end.receiveMss) || quick || end.ackNow) sendAck(end, nowUs);
  else if (end.reassembly.ranges.length === 0) delayAck(end, nowUs);
  else acknowledgeGap(end, nowUs);
}

/**
 * The application has read everything: a segment that ended a write is acknowledged at once unless
 * both talk.
 */
export function acknowledgeRead(end: TcpEnd, nowUs: number): void {
  if (end.ackPending && (end.ackPushedTwice || (end.ackPushed && !end.pingPong))) sendAck(end, nowUs);
}

/** The timer of a delayed acknowledgement fires: it came to nothing to wait. */
export function delayedAckFires(end: TcpEnd, nowUs: number): void {
  end.delayedAckUs = Number.POSITIVE_INFINITY;
  if (!end.ackPending) return;
  if (end.pingPong) {
    end.pingPong = false;
    end.ackTicks = minAckTicks;
  } else end.ackTicks = Math.min(end.ackTicks * 2, end.rtt.rtoTicks);
  sendAck(end, nowUs);
}

/**
 * Out of order: three acknowledgements at once, then one a millisecond at most, so that a burst
 * does not cause another.
 */
function acknowledgeGap(end: TcpEnd, nowUs: number): void {
  if (end.compressedReceived !== end.received) {
    end.compressedReceived = end.received;
    end.duplicateAcks = 0;
  }
  if (end.duplicateAcks < 3) {
    end.duplicateAcks++;
    sendAck(end, nowUs);
  } else if (end.compressedAckUs === Number.POSITIVE_INFINITY) {
    end.compressedAckUs = nowUs + Math.min(1000, Math.max(1, Math.round(end.rtt.srttUs / 20)));
  }
}

function delayAck(end: TcpEnd, nowUs: number): void {
  let ticks = end.ackTicks;
  if (ticks > minAckTicks) {
    const most = end.pingPong || end.ackPushed ? 50 : 125;
    const rttTicks = Math.max(Math.ceil(end.rtt.srttUs / tickUs), minAckTicks);
    ticks = Math.min(ticks, end.rtt.srtt8 > 0 ? Math.min(rttTicks, most) : most);
  }
  const atUs = end.jiffies.fires(nowUs, Math.min(ticks, 50));
  if (end.delayedAckUs <= end.jiffies.fires(nowUs, ticks >> 2)) sendAck(end, nowUs);
  else end.delayedAckUs = Math.min(end.delayedAckUs, atUs);
}

/** How fast segments come, how large they are, and whether one ends a write. */
function measureArrival(end: TcpEnd, bytes: number, pushed: boolean, nowUs: number): void {
  end.ackPending = true;
  measureSize(end, bytes, pushed);
  const tick = end.jiffies.at(nowUs);
  const gap = tick - end.lastReceiveTick;
  if (end.ackTicks === 0) {
    addQuickAcks(end);
    end.ackTicks = minAckTicks;
  } else if (gap <= minAckTicks / 2) end.ackTicks = (end.ackTicks >> 1) + minAckTicks / 2;
  else if (gap < end.ackTicks) end.ackTicks = Math.min((end.ackTicks >> 1) + gap, end.rtt.rtoTicks);
  else if (gap > end.rtt.rtoTicks) addQuickAcks(end);
  end.lastReceiveTick = tick;
}

function measureSize(end: TcpEnd, bytes: number, pushed: boolean): void {
  const last = end.lastSegmentBytes;
  end.lastSegmentBytes = 0;
  if (bytes >= end.receiveMss) {
    end.receiveMss = Math.min(bytes, segmentBytes);
    end.ackPushed ||= pushed;
    return;
  }
  if (bytes + 12 >= 536) {
    end.lastSegmentBytes = bytes;
    if (bytes === last) {
      end.receiveMss = bytes;
      return;
    }
  }
  end.ackPushedTwice ||= end.ackPushed;
  end.ackPushed = true;
}

function enterQuickAck(end: TcpEnd): void {
  addQuickAcks(end);
  end.pingPong = false;
  end.ackTicks = minAckTicks;
}

function addQuickAcks(end: TcpEnd): void {
  const most = Math.max(2, Math.floor(65_160 / (2 * end.receiveMss)));
  end.quickAcks = Math.max(end.quickAcks, Math.min(most, mostQuickAcks));
}
