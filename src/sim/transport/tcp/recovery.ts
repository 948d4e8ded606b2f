import { CWR, DISORDER, isReducing, LOSS, OPEN, RECOVERY, type TcpEnd } from './end.ts';
import { rackMarkLost } from './rack.ts';
import type { AckFindings } from './sack.ts';
import {
  anyRetransmitted,
  beginUndo,
  keepOpen,
  tryUndoByDuplicates,
  tryUndoLoss,
  tryUndoPartial,
  tryUndoRecovery,
} from './undo.ts';
import { beginReduction, currentThreshold, endReduction } from './window.ts';

/** What is to be sent after an acknowledgement, besides what the window allows. */
export const SEND_NOTHING = 0;
export const SEND_LOST = 1;
/** New data first: F-RTO finds out whether a timeout was real. */
export const SEND_NEW = 2;

/**
 * An acknowledgement that is not plain progress: leaves states that it ends, finds losses, and
 * enters recovery. Returns what is to be sent.
 */
export function recover(end: TcpEnd, found: AckFindings, duplicateAck: boolean, nowUs: number): number {
  if (end.state === OPEN) end.retransStampMs = -1;
  else if (end.una >= end.highSeq) leaveState(end, found, nowUs);
  switch (stateOf(end)) {
    case RECOVERY:
      if (found.advanced && tryUndoPartial(end, found.echoMs)) return SEND_NOTHING;
      if (tryUndoByDuplicates(end)) tryToOpen(end);
      findLosses(end, found, nowUs);
      if (stateOf(end) !== RECOVERY) {
        if (end.lostOut === 0) return SEND_NOTHING;
        enterRecovery(end);
      }
      return SEND_LOST;
    case LOSS: {
      const send = goOnAfterTimeout(end, found, duplicateAck);
      findLosses(end, found, nowUs);
      if (stateOf(end) !== OPEN && !found.lostRetransmission) return send;
      return findAndEnter(end, found, nowUs);
    }
    default:
      return findAndEnter(end, found, nowUs);
  }
}

/**
 * Enters recovery: the window will shrink to a new threshold, and may come back if that was
 * needless.
 */
export function enterRecovery(end: TcpEnd): void {
  end.priorSsthresh = 0;
  beginUndo(end);
  if (!isReducing(end)) {
    end.priorSsthresh = currentThreshold(end);
    beginReduction(end);
  }
  end.state = RECOVERY;
}

/** The state as it is now: what is called in between changes it. */
function stateOf(end: TcpEnd): number {
  return end.state;
}

function findAndEnter(end: TcpEnd, found: AckFindings, nowUs: number): number {
  if (end.state <= DISORDER) tryUndoByDuplicates(end);
  findLosses(end, found, nowUs);
  if (end.lostOut === 0) {
    tryToOpen(end);
    return SEND_NOTHING;
  }
  enterRecovery(end);
  return SEND_LOST;
}

function leaveState(end: TcpEnd, found: AckFindings, nowUs: number): void {
  if (end.state === CWR && end.una !== end.highSeq) {
    endReduction(end, nowUs);
    end.state = OPEN;
  } else if (end.state === RECOVERY) {
    tryUndoRecovery(end, found.echoMs);
    endReduction(end, nowUs);
  }
}

/**
 * After a timeout: F-RTO (RFC 5682) asks whether it was spurious, else what is marked lost is sent
 * again.
 */
function goOnAfterTimeout(end: TcpEnd, found: AckFindings, duplicateAck: boolean): number {
  const recovered = end.una >= end.highSeq;
  if (found.advanced && tryUndoLoss(end, found.echoMs, false)) return SEND_NOTHING;
  if (end.frto) {
    if (found.originalArrived && tryUndoLoss(end, found.echoMs, true)) return SEND_NOTHING;
    if (end.nxt > end.highSeq) {
      if (found.dataSacked || duplicateAck) end.frto = false;
    } else if (found.advanced && !recovered) {
      end.highSeq = end.nxt;
      if (end.nxt < end.written) return SEND_NEW;
      end.frto = false;
    }
  }
  if (recovered) {
    tryUndoRecovery(end, found.echoMs);
    return SEND_NOTHING;
  }
  return SEND_LOST;
}

function findLosses(end: TcpEnd, found: AckFindings, nowUs: number): void {
  if (end.segments.length === 0) return;
  const before = end.retransOut;
  if (rackMarkLost(end, nowUs)) found.setTimer = false;
  if (before > end.retransOut) found.lostRetransmission = true;
}

function tryToOpen(end: TcpEnd): void {
  if (!anyRetransmitted(end)) end.retransStampMs = -1;
  if (end.state !== CWR) keepOpen(end);
}

/** Used by the probe: a loss that it repaired reduces the window at once. */
export function repairedByProbe(end: TcpEnd, nowUs: number): void {
  beginReduction(end);
  end.state = CWR;
  endReduction(end, nowUs);
  keepOpen(end);
}
