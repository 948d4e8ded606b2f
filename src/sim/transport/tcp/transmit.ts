import { DUPLICATE, field, PUSHED } from '../../path/packet-line.ts';
import {
  headerBytes,
  inFlight,
  isReducing,
  PROBE,
  RECOVERY,
  REORDER,
  RETRANSMIT,
  segmentBytes,
  type TcpEnd,
} from './end.ts';
import { EVER_RETRANSMITTED, JOINED, LAST_WRITTEN, LOST_MARK, RETRANSMITTED, SACKED } from './segments.ts';
import { rearmRto, scheduleProbe, setTimer } from './timers.ts';
import { restartWindow, validateWindow } from './window.ts';

const never = Number.POSITIVE_INFINITY;

/** The application writes; what the window allows goes out at once, without Nagle's delay. */
export function write(end: TcpEnd, bytes: number, nowUs: number): void {
  restartWindow(end, nowUs);
  end.written += bytes;
  pushNewData(end, nowUs);
}

/**
 * Sends what was written, as far as the window allows, in segments as full as what waits makes
 * them: frames that were held back leave together, two segments in one piece where the window has
 * room. Returns whether anything was sent.
 */
export function pushNewData(end: TcpEnd, nowUs: number): boolean {
  const before = end.segments.length;
  let limited = false;
  while (end.nxt < end.written && !limited) {
    const room = end.cwnd - inFlight(end);
    limited = room <= 0 || shouldWait(end, room, nowUs);
    if (!limited) sendNext(end, Math.min(room, end.cwnd >> 1), nowUs);
  }
  const sent = end.segments.length - before;
  limited ||= inFlight(end) >= end.cwnd;
  if (sent > 0 || (limited && end.nxt < end.written)) validateWindow(end, limited, nowUs);
  if (sent === 0) return false;
  if (isReducing(end)) end.prrOut += sent;
  scheduleProbe(end, false, nowUs);
  return true;
}

/**
 * One segment of new data, or two in one piece if there is room for them; whatever the window says.
 */
export function sendNext(end: TcpEnd, room: number, nowUs: number): void {
  const first = end.segments.length === 0;
  const firstEnd = Math.min(end.nxt + segmentBytes, end.written);
  const lastEnd = room >= 2 ? Math.min(firstEnd + segmentBytes, end.written) : firstEnd;
  sendNew(end, end.nxt, firstEnd, lastEnd - firstEnd, nowUs);
  if (lastEnd > firstEnd) sendNew(end, firstEnd, lastEnd, FOLLOWS, nowUs);
  end.nxt = lastEnd;
  if (first || end.pending === PROBE) rearmRto(end, nowUs);
}

/** Sends a segment again, together with the next ones that fit into it. */
export function retransmit(end: TcpEnd, index: number, nowUs: number): void {
  resend(end, index, 0, nowUs);
  countRetransmitted(end, index, nowUs);
}

/**
 * The bytes of a segment go out again; what is counted as lost or in flight does not change.
 * following: bytes of the segment that leaves in one piece with it, or FOLLOWS for that one.
 */
export function resend(end: TcpEnd, index: number, following: number, nowUs: number): void {
  const { segments } = end;
  if (segments.seq(index) < end.una) segments.trimFirst(end.una);
  collapse(end, index);
  segments.setSent(index, nowUs, end.delivered);
  segments.setMarks(index, segments.marks(index) | EVER_RETRANSMITTED);
  end.counters.retransmissions++;
  const pushed = (segments.marks(index) & LAST_WRITTEN) !== 0;
  sendData(end, segments.seq(index), segments.end(index), following, pushed, nowUs);
}

/**
 * Sends what is marked lost again, as far as the window allows; what left in one piece, in one
 * piece.
 */
export function retransmitLost(end: TcpEnd, nowUs: number): void {
  const { segments } = end;
  let rearm = false;
  for (let index = 0; index < segments.length; index++) {
    const room = end.cwnd - inFlight(end);
    if (room <= 0 || end.retransOut >= end.lostOut) break;
    if (!isWaiting(segments.marks(index))) continue;
    if (index === 0 && end.pending !== REORDER) rearm = true;
    const pair = room >= 2 && index + 1 < segments.length && isJoinedAndWaiting(segments.marks(index + 1));
    resend(end, index, pair ? segments.end(index + 1) - segments.seq(index + 1) : 0, nowUs);
    countRetransmitted(end, index, nowUs);
    if (isReducing(end)) end.prrOut++;
    if (!pair) continue;
    index++;
    resend(end, index, FOLLOWS, nowUs);
    countRetransmitted(end, index, nowUs);
    if (isReducing(end)) end.prrOut++;
  }
  if (rearm) setTimer(end, RETRANSMIT, end.rtt.rtoTicks, nowUs);
}

/** An acknowledgement without data, with what lies beyond the gaps. */
export function sendAck(end: TcpEnd, nowUs: number): void {
  sendPacket(end, end.nxt, end.nxt, 0, false, nowUs);
}

/** In place of how many bytes leave in one piece with a segment: it leaves with the one before. */
const FOLLOWS = -1;

/**
 * More than a segment waits, something left just now, and an acknowledgement will soon make room
 * for two: better to wait for it than to send one.
 */
function shouldWait(end: TcpEnd, room: number, nowUs: number): boolean {
  if (room >= 2 || end.written - end.nxt <= segmentBytes || end.state >= RECOVERY) return false;
  if (nowUs - end.lastPacketUs > 1000 || 3 * room >= end.cwnd) return false;
  return end.segments.length > 0 && nowUs - end.segments.sentUs(0) >= end.rtt.srttUs / 2;
}

function isWaiting(marks: number): boolean {
  return (marks & (LOST_MARK | SACKED | RETRANSMITTED)) === LOST_MARK;
}

function isJoinedAndWaiting(marks: number): boolean {
  return (marks & JOINED) !== 0 && isWaiting(marks);
}

function countRetransmitted(end: TcpEnd, index: number, nowUs: number): void {
  end.segments.setMarks(index, end.segments.marks(index) | RETRANSMITTED);
  end.retransOut++;
  if (end.retransStampMs < 0) end.retransStampMs = end.jiffies.timestampMs(nowUs);
  end.undoRetrans = Math.max(end.undoRetrans, 0) + 1;
}

function sendNew(end: TcpEnd, seq: number, segmentEnd: number, following: number, nowUs: number): void {
  const pushed = segmentEnd === end.written;
  sendData(end, seq, segmentEnd, following, pushed, nowUs);
  end.segments.push(seq, segmentEnd, nowUs, end.delivered);
  const marks = (pushed ? LAST_WRITTEN : 0) | (following === FOLLOWS ? JOINED : 0);
  end.segments.setMarks(end.segments.length - 1, marks);
}

function sendData(
  end: TcpEnd,
  seq: number,
  segmentEnd: number,
  following: number,
  pushed: boolean,
  nowUs: number,
): void {
  const tick = end.jiffies.at(nowUs);
  end.counters.packets++;
  if (inFlight(end) === 0) end.cubic.idle(tick - end.lastSendTick, tick);
  end.lastSendTick = tick;
  // Data soon after data: a conversation, in which acknowledgements wait for something to ride on.
  if (tick - end.lastReceiveTick < end.ackTicks) end.pingPong = true;
  sendPacket(end, seq, segmentEnd, following, pushed, nowUs);
}

function sendPacket(
  end: TcpEnd,
  seq: number,
  segmentEnd: number,
  following: number,
  pushed: boolean,
  nowUs: number,
): void {
  const { line, reassembly, jiffies } = end;
  const duplicate = reassembly.duplicateStart >= 0;
  const blocks = Math.min(reassembly.blocks.length / 2 + (duplicate ? 1 : 0), 3);
  const headers = headerBytes + (blocks > 0 ? 4 + 8 * blocks : 0);
  const bytes = segmentEnd - seq + headers + (following > 0 ? following + headers : 0);
  const slot = following === FOLLOWS ? line.follow() : line.send(nowUs, bytes);
  end.lastPacketUs = nowUs;
  if (slot >= 0) {
    const { ring } = line;
    ring[slot + field.seq] = seq;
    ring[slot + field.end] = segmentEnd;
    ring[slot + field.ack] = end.received;
    ring[slot + field.stamp] = jiffies.timestampMs(nowUs);
    ring[slot + field.echo] = end.recentStampMs;
    ring[slot + field.flags] = blocks | (duplicate ? DUPLICATE : 0) | (pushed ? PUSHED : 0);
    if (blocks > 0) {
      const own = duplicate ? 2 : 0;
      if (duplicate) {
        ring[slot + field.first] = reassembly.duplicateStart;
        ring[slot + field.first + 1] = reassembly.duplicateEnd;
      }
      for (let at = own; at < 2 * blocks; at++) ring[slot + field.first + at] = reassembly.blocks[at - own]!;
    }
  }
  reassembly.duplicateStart = -1;
  acknowledged(end);
}

/** Whatever was sent carried an acknowledgement: none is due any more. */
function acknowledged(end: TcpEnd): void {
  // Only one that was due counts among those that are to be quick.
  if (end.ackPending && end.quickAcks > 0 && --end.quickAcks === 0) end.ackTicks = 10;
  end.acked = end.received;
  end.ackPending = end.ackNow = end.ackPushed = end.ackPushedTwice = false;
  end.delayedAckUs = end.compressedAckUs = never;
}

/** Small segments that follow and were not SACKed ride along while there is room. */
function collapse(end: TcpEnd, index: number): void {
  const { segments } = end;
  while (index + 1 < segments.length && (segments.marks(index) & SACKED) === 0) {
    const marks = segments.marks(index + 1);
    const bytes = segments.end(index + 1) - segments.seq(index);
    if ((marks & SACKED) !== 0 || bytes > segmentBytes) return;
    if ((marks & LOST_MARK) !== 0) end.lostOut--;
    if ((marks & RETRANSMITTED) !== 0) end.retransOut--;
    segments.setMarks(index, segments.marks(index) | (marks & (EVER_RETRANSMITTED | LAST_WRITTEN)));
    segments.mergeNext(index);
  }
}
