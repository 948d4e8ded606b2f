import { BLOCKS, field } from '../../path/packet-line.ts';
import { isReducing, OPEN, type TcpEnd } from './end.ts';
import { rackAdvance } from './rack.ts';
import { recover, repairedByProbe, SEND_LOST, SEND_NEW, SEND_NOTHING } from './recovery.ts';
import { type AckFindings, highestSackedSeq, seeReordering, tagSacks } from './sack.ts';
import { EVER_RETRANSMITTED, LOST_MARK, RETRANSMITTED, SACKED } from './segments.ts';
import { rearm } from './timers.ts';
import { pushNewData, retransmitLost } from './transmit.ts';
import { growWindow, reduceWindow } from './window.ts';

const found: AckFindings = {
  advanced: false,
  dataAcked: false,
  retransmittedAcked: false,
  dataSacked: false,
  originalArrived: false,
  duplicateReported: false,
  probeDuplicate: false,
  lostRetransmission: false,
  setTimer: false,
  carriesData: false,
  firstSackedUs: -1,
  lastSackedUs: -1,
  reorderedSeq: Number.POSITIVE_INFINITY,
  echoMs: 0,
};

/** The acknowledgement that a packet carries, whose numbers stand in ring from slot on. */
export function receiveAck(end: TcpEnd, ring: Int32Array, slot: number, nowUs: number): void {
  const ack = ring[slot + field.ack]!;
  const blocks = ring[slot + field.flags]! & BLOCKS;
  const carriesData = ring[slot + field.end]! > ring[slot + field.seq]!;
  if (ack < end.una && blocks === 0) return;
  if (ack === end.una && blocks === 0 && carriesData) return;
  begin(ring[slot + field.echo]!, carriesData);
  if (ack < end.una) {
    tagSacks(end, ring, slot, found, nowUs);
    sendAfter(end, recover(end, found, false, nowUs), nowUs);
    return;
  }
  const priorUna = end.una;
  const priorHighest = highestSackedSeq(end);
  const deliveredBefore = end.delivered;
  const lostBefore = end.lost;
  const hadPackets = end.segments.length > 0;
  if (ack > priorUna) {
    found.advanced = true;
    end.timeoutsInARow = 0;
  }
  if (blocks !== 0) tagSacks(end, ring, slot, found, nowUs);
  end.una = ack;
  if (!hadPackets) {
    if (found.duplicateReported) sendAfter(end, recover(end, found, false, nowUs), nowUs);
    return;
  }
  clean(end, priorUna, priorHighest, nowUs);
  adaptReordering(end);
  if (end.probeEnd >= 0) answerProbe(end, ack, nowUs);
  let send = SEND_NOTHING;
  const notDuplicate = found.carriesData || found.advanced;
  if (!notDuplicate || found.dataSacked || found.duplicateReported || end.state !== OPEN) {
    send = recover(end, found, !notDuplicate && !found.duplicateReported, nowUs);
  }
  if (found.setTimer) rearm(end, nowUs);
  const delivered = end.delivered - deliveredBefore;
  if (isReducing(end)) reduceWindow(end, delivered, end.lost - lostBefore, found.advanced);
  else if (end.reordering > 3 ? found.advanced || found.dataSacked : found.dataAcked) growWindow(end, delivered, nowUs);
  sendAfter(end, send, nowUs);
}

function begin(echoMs: number, carriesData: boolean): void {
  found.advanced = found.dataAcked = found.retransmittedAcked = found.dataSacked = false;
  found.originalArrived = found.duplicateReported = found.probeDuplicate = found.lostRetransmission = false;
  found.setTimer = false;
  found.carriesData = carriesData;
  found.firstSackedUs = found.lastSackedUs = -1;
  found.reorderedSeq = Number.POSITIVE_INFINITY;
  found.echoMs = echoMs;
}

function sendAfter(end: TcpEnd, send: number, nowUs: number): void {
  if (send === SEND_NEW) {
    pushNewData(end, nowUs);
    if (end.nxt > end.highSeq) return;
    end.frto = false;
  }
  if (send === SEND_LOST || send === SEND_NEW) retransmitLost(end, nowUs);
}

/** Takes what is acknowledged off the list, and measures the round trip. */
function clean(end: TcpEnd, priorUna: number, priorHighest: number, nowUs: number): void {
  const { segments } = end;
  const hadSacked = end.sackedOut > 0;
  let firstUs = -1;
  let lastUs = -1;
  let count = 0;
  let before = 0;
  while (segments.length > 0 && segments.end(0) <= end.una) {
    const marks = segments.marks(0);
    const sentUs = segments.sentUs(0);
    const segmentEnd = segments.end(0);
    before = segments.deliveredBefore(0);
    if ((marks & (RETRANSMITTED | EVER_RETRANSMITTED)) !== 0) {
      if ((marks & RETRANSMITTED) !== 0) end.retransOut--;
      found.retransmittedAcked = true;
    } else if ((marks & SACKED) === 0) {
      lastUs = sentUs;
      if (firstUs < 0) firstUs = sentUs;
      found.reorderedSeq = Math.min(found.reorderedSeq, segments.seq(0));
      if (segmentEnd <= end.highSeq) found.originalArrived = true;
    }
    if ((marks & SACKED) !== 0) end.sackedOut--;
    else {
      end.delivered++;
      if (!isCopyNeedless(end, marks, sentUs)) rackAdvance(end, marks, segmentEnd, sentUs, nowUs);
    }
    if ((marks & LOST_MARK) !== 0) end.lostOut--;
    segments.shift();
    count++;
    found.dataAcked = true;
  }
  const delayed = count === 1 && !hadSacked && end.una - priorUna < 1448 && before + 1 === end.delivered;
  const measured = measure(end, found.retransmittedAcked ? -1 : firstUs, lastUs, delayed, nowUs);
  if (found.dataAcked) {
    found.setTimer = true;
    if (found.reorderedSeq < priorHighest) seeReordering(end, found.reorderedSeq);
  } else if (measured && found.firstSackedUs >= 0 && segments.length > 0 && found.firstSackedUs < segments.sentUs(0)) {
    found.setTimer = true;
  }
}

/** Sent again, and the echo is of something older: the first copy arrived. */
function isCopyNeedless(end: TcpEnd, marks: number, sentUs: number): boolean {
  if ((marks & (RETRANSMITTED | EVER_RETRANSMITTED)) === 0) return false;
  return found.echoMs < end.jiffies.timestampMs(sentUs);
}

/**
 * One sample of the round trip: from data never sent again, else from SACKs, else from timestamps.
 */
function measure(end: TcpEnd, firstUs: number, lastUs: number, delayed: boolean, nowUs: number): boolean {
  let rttUs = firstUs >= 0 ? nowUs - firstUs : -1;
  let latestUs = firstUs >= 0 ? nowUs - lastUs : -1;
  if (found.firstSackedUs >= 0) {
    latestUs = nowUs - found.lastSackedUs;
    if (rttUs < 0) rttUs = nowUs - found.firstSackedUs;
  }
  if (rttUs < 0 && found.dataAcked) {
    rttUs = latestUs = Math.max(1, end.jiffies.timestampMs(nowUs) - found.echoMs) * 1000;
  }
  if (rttUs < 0) return false;
  // A lone small segment may have waited for its acknowledgement.
  if (!delayed || latestUs < end.rtt.minUs) end.rtt.sampleMin(latestUs);
  end.rtt.sample(rttUs, end.una, end.nxt);
  const tick = end.jiffies.at(nowUs);
  if (end.cubic.sample(latestUs, end.cwnd, end.cwnd < end.ssthresh, nowUs, tick, end.una, end.nxt)) {
    end.ssthresh = end.cwnd;
  }
  return true;
}

function adaptReordering(end: TcpEnd): void {
  if (end.dsackSeen) {
    end.dsackSeen = false;
    end.reorderSteps = Math.min(255, end.reorderSteps + 1);
    end.reorderPersist = 16;
  } else if (end.reorderPersist === 0) end.reorderSteps = 1;
}

function answerProbe(end: TcpEnd, ack: number, nowUs: number): void {
  if (ack < end.probeEnd) return;
  if (!end.probeRetransmitted || found.probeDuplicate) end.probeEnd = -1;
  else if (ack > end.probeEnd) repairedByProbe(end, nowUs);
  else if (!found.advanced && !found.carriesData && !found.dataSacked) end.probeEnd = -1;
}
