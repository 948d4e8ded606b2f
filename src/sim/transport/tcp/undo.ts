import { DISORDER, OPEN, type TcpEnd } from './end.ts';
import { EVER_RETRANSMITTED, LOST_MARK } from './segments.ts';

/** From here on a reduction can be undone, should it prove needless. */
export function beginUndo(end: TcpEnd): void {
  end.undoMarker = end.una;
  // A probe that sent something again may be reported as a duplicate as well.
  const again = end.retransOut + (end.probeEnd >= 0 && end.probeRetransmitted ? 1 : 0);
  end.undoRetrans = again > 0 ? again : -1;
}

/** Recovery is over: if nothing that was sent again was needed, the window comes back. */
export function tryUndoRecovery(end: TcpEnd, echoMs: number): void {
  if (mayUndo(end, echoMs)) undoReduction(end, false);
  else if (end.reorderPersist > 0) end.reorderPersist--;
  end.state = OPEN;
}

/** Duplicates show that every retransmission was needless. */
export function tryUndoByDuplicates(end: TcpEnd): boolean {
  if (end.undoMarker < 0 || end.undoRetrans !== 0) return false;
  end.reorderPersist = Math.min(16, end.reorderPersist + 1);
  undoReduction(end, false);
  return true;
}

/**
 * After a timeout: what was never sent again was acknowledged (`spurious`), or timestamps show that
 * originals arrived.
 */
export function tryUndoLoss(end: TcpEnd, echoMs: number, spurious: boolean): boolean {
  if (!spurious && !mayUndo(end, echoMs)) return false;
  undoReduction(end, true);
  end.timeoutsInARow = 0;
  end.state = OPEN;
  return true;
}

/**
 * In recovery, a part is acknowledged by a delayed original: true if nothing more is to be done for
 * this one.
 */
export function tryUndoPartial(end: TcpEnd, echoMs: number): boolean {
  if (end.undoMarker < 0 || !originalArrived(end, echoMs)) return false;
  if (end.retransOut > 0) return true;
  if (!anyRetransmitted(end)) end.retransStampMs = -1;
  undoReduction(end, true);
  keepOpen(end);
  return true;
}

/** Open, or disorder while something is SACKed, lost, or was sent again. */
export function keepOpen(end: TcpEnd): void {
  const state = end.sackedOut + end.lostOut > 0 || anyRetransmitted(end) ? DISORDER : OPEN;
  if (end.state === state) return;
  end.state = state;
  end.highSeq = end.nxt;
}

/** Whether the oldest segment was ever sent again. */
export function anyRetransmitted(end: TcpEnd): boolean {
  return end.segments.length > 0 && (end.segments.marks(0) & EVER_RETRANSMITTED) !== 0;
}

function undoReduction(end: TcpEnd, unmark: boolean): void {
  if (unmark) {
    for (let index = 0; index < end.segments.length; index++) {
      end.segments.setMarks(index, end.segments.marks(index) & ~LOST_MARK);
    }
    end.lostOut = 0;
  }
  if (end.priorSsthresh > 0) {
    end.cwnd = Math.max(end.cwnd, end.priorCwnd);
    end.ssthresh = Math.max(end.ssthresh, end.priorSsthresh);
  }
  end.undoMarker = -1;
  end.rackAdvanced = true;
}

function mayUndo(end: TcpEnd, echoMs: number): boolean {
  return end.undoMarker >= 0 && (end.undoRetrans === 0 || originalArrived(end, echoMs));
}

/** The echoed timestamp is older than the first retransmission (Eifel, RFC 3522). */
function originalArrived(end: TcpEnd, echoMs: number): boolean {
  return end.retransStampMs >= 0 && echoMs < end.retransStampMs;
}
