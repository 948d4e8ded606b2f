import { RECOVERY, REORDER, type TcpEnd } from './end.ts';
import { toTicks } from './jiffies.ts';
import { EVER_RETRANSMITTED, LOST_MARK, RETRANSMITTED, SACKED } from './segments.ts';
import { minTimeoutUs, setTimer } from './timers.ts';

/**
 * RACK (RFC 8985): a segment that was sent at sentUs has been delivered; the latest such is what
 * others are held against.
 */
export function rackAdvance(end: TcpEnd, marks: number, segmentEnd: number, sentUs: number, nowUs: number): void {
  const rttUs = nowUs - sentUs;
  // Sent twice, and back sooner than any packet could be: it was the first copy that arrived.
  if (rttUs < end.rtt.minUs && (marks & (RETRANSMITTED | EVER_RETRANSMITTED)) !== 0) return;
  end.rackAdvanced = true;
  end.rackRttUs = rttUs;
  if (sentAfter(sentUs, segmentEnd, end.rackSentUs, end.rackEnd)) {
    end.rackSentUs = sentUs;
    end.rackEnd = segmentEnd;
  }
}

/**
 * After an acknowledgement: marks what RACK holds lost. Returns whether the reordering timer now
 * runs.
 */
export function rackMarkLost(end: TcpEnd, nowUs: number): boolean {
  if (!end.rackAdvanced) return false;
  end.rackAdvanced = false;
  const waitUs = rackDetectLoss(end, nowUs);
  if (waitUs <= 0) return false;
  setTimer(end, REORDER, Math.min(toTicks(waitUs + minTimeoutUs), end.rtt.rtoTicks), nowUs);
  return true;
}

/**
 * Marks each segment that was sent before the latest delivered one, by a round trip and the
 * reordering window. Returns how long the last of those waits that are not yet late enough, us; 0
 * if none does.
 */
export function rackDetectLoss(end: TcpEnd, nowUs: number): number {
  const { segments } = end;
  const windowUs = reorderWindowUs(end);
  let waitUs = 0;
  for (let index = 0; index < segments.length; index++) {
    const marks = segments.marks(index);
    if ((marks & SACKED) !== 0 || (marks & (LOST_MARK | RETRANSMITTED)) === LOST_MARK) continue;
    if (!sentAfter(end.rackSentUs, end.rackEnd, segments.sentUs(index), segments.end(index))) continue;
    const leftUs = rackLeftUs(end, index, windowUs, nowUs);
    if (leftUs <= 0) markLost(end, index);
    else waitUs = Math.max(waitUs, leftUs);
  }
  return waitUs;
}

/** How long until a segment counts as lost, us. */
export function rackLeftUs(end: TcpEnd, index: number, windowUs: number, nowUs: number): number {
  return end.rackRttUs + windowUs - (nowUs - end.segments.sentUs(index));
}

/** Marks one segment lost; one that was sent again, lost again. */
export function markLost(end: TcpEnd, index: number): void {
  const marks = end.segments.marks(index);
  if ((marks & SACKED) !== 0) return;
  if ((marks & LOST_MARK) === 0) {
    end.lostOut++;
    end.lost++;
    end.segments.setMarks(index, marks | LOST_MARK);
  } else if ((marks & RETRANSMITTED) !== 0) {
    end.retransOut--;
    end.lost++;
    end.segments.setMarks(index, marks & ~RETRANSMITTED);
  }
}

/**
 * A quarter of the least round trip, more when duplicates were seen; none while no reordering was
 * and loss is likely.
 */
function reorderWindowUs(end: TcpEnd): number {
  if (!end.reorderingSeen && (end.state >= RECOVERY || end.sackedOut >= end.reordering)) return 0;
  return Math.min(Math.floor(end.rtt.minUs / 4) * end.reorderSteps, Math.floor(end.rtt.srtt8 / 8));
}

function sentAfter(sentUs: number, segmentEnd: number, otherUs: number, otherEnd: number): boolean {
  return sentUs > otherUs || (sentUs === otherUs && segmentEnd > otherEnd);
}
