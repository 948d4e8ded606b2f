import { BLOCKS, DUPLICATE, field } from '../../path/packet-line.ts';
import type { TcpEnd } from './end.ts';
import { rackAdvance } from './rack.ts';
import { EVER_RETRANSMITTED, LOST_MARK, RETRANSMITTED, SACKED } from './segments.ts';

/** What an acknowledgement reported, as it is worked through. */
export type AckFindings = {
  /** Cumulatively acknowledged data, and how much of it was ever sent again. */
  advanced: boolean;
  dataAcked: boolean;
  retransmittedAcked: boolean;
  dataSacked: boolean;
  /** Data that was never sent again, sent before the present loss recovery, arrived. */
  originalArrived: boolean;
  duplicateReported: boolean;
  probeDuplicate: boolean;
  lostRetransmission: boolean;
  setTimer: boolean;
  carriesData: boolean;
  /** When the first and last newly SACKed originals were sent, us; -1 for none. */
  firstSackedUs: number;
  lastSackedUs: number;
  /** Lowest byte that arrived late without having been sent again: the path reorders. */
  reorderedSeq: number;
  echoMs: number;
};

/** Takes in the blocks of an acknowledgement whose numbers stand in ring from slot on. */
export function tagSacks(end: TcpEnd, ring: Int32Array, slot: number, found: AckFindings, nowUs: number): void {
  const reported = ring[slot + field.flags]!;
  const blocks = reported & BLOCKS;
  const ack = ring[slot + field.ack]!;
  for (let block = 0; block < blocks; block++) {
    const at = slot + field.first + 2 * block;
    const start = ring[at]!;
    const blockEnd = ring[at + 1]!;
    const duplicate = block === 0 && (reported & DUPLICATE) !== 0;
    if (duplicate) seeDuplicate(end, start, blockEnd, ack, found);
    if (blockEnd > end.una) tagBlock(end, start, blockEnd, duplicate, found, nowUs);
  }
}

/**
 * Linux calls it reordering when something below the highest SACKed segment arrives that was never
 * sent again.
 */
export function seeReordering(end: TcpEnd, lowSeq: number): void {
  const metric = highestSackedSeq(end) - lowSeq;
  if (metric <= 0) return;
  if (metric > end.reordering * 1448) end.reordering = Math.min(Math.ceil(metric / 1448), 300);
  end.reorderingSeen = true;
}

export function highestSackedSeq(end: TcpEnd): number {
  return end.sackedOut === 0 ? end.una : end.highestSacked;
}

function seeDuplicate(end: TcpEnd, start: number, blockEnd: number, ack: number, found: AckFindings): void {
  const copies = Math.max(1, Math.ceil((blockEnd - start) / 1448));
  if (copies === 1 && end.probeEnd === blockEnd) found.probeDuplicate = true;
  end.dsackDups += copies;
  if (end.dsackDups > end.counters.retransmissions) return;
  if (end.reorderingSeen && !found.probeDuplicate) end.dsackSeen = true;
  found.duplicateReported = true;
  if (end.undoMarker >= 0 && end.undoRetrans > 0 && blockEnd <= Math.max(end.una, ack) && blockEnd > end.undoMarker) {
    end.undoRetrans = Math.max(0, end.undoRetrans - copies);
  }
}

function tagBlock(
  end: TcpEnd,
  start: number,
  blockEnd: number,
  duplicate: boolean,
  found: AckFindings,
  nowUs: number,
): void {
  const { segments } = end;
  for (let index = 0; index < segments.length && segments.seq(index) < blockEnd; index++) {
    if (segments.seq(index) < start || segments.end(index) > blockEnd) continue;
    const marks = segments.marks(index);
    if ((marks & SACKED) === 0) tagSegment(end, index, marks, found, nowUs);
    if (duplicate && (segments.marks(index) & RETRANSMITTED) !== 0) {
      segments.setMarks(index, segments.marks(index) & ~RETRANSMITTED);
      end.retransOut--;
    }
  }
}

function tagSegment(end: TcpEnd, index: number, before: number, found: AckFindings, nowUs: number): void {
  const { segments } = end;
  const seq = segments.seq(index);
  const segmentEnd = segments.end(index);
  const sentUs = segments.sentUs(index);
  let marks = before;
  rackAdvance(end, marks, segmentEnd, sentUs, nowUs);
  if ((marks & RETRANSMITTED) !== 0) {
    if ((marks & LOST_MARK) !== 0) {
      marks &= ~(LOST_MARK | RETRANSMITTED);
      end.lostOut--;
      end.retransOut--;
    }
  } else {
    if ((marks & EVER_RETRANSMITTED) === 0) {
      if (seq < highestSackedSeq(end)) found.reorderedSeq = Math.min(found.reorderedSeq, seq);
      if (segmentEnd <= end.highSeq) found.originalArrived = true;
      if (found.firstSackedUs < 0) found.firstSackedUs = sentUs;
      found.lastSackedUs = sentUs;
    }
    if ((marks & LOST_MARK) !== 0) {
      marks &= ~LOST_MARK;
      end.lostOut--;
    }
  }
  segments.setMarks(index, marks | SACKED);
  found.dataSacked = true;
  end.highestSacked = end.sackedOut === 0 ? seq : Math.max(end.highestSacked, seq);
  end.sackedOut++;
  end.delivered++;
}
