import {
  DISORDER,
  inFlight,
  isReducing,
  LOSS,
  NOTHING,
  PROBE,
  RECOVERY,
  REORDER,
  RETRANSMIT,
  type TcpEnd,
} from './end.ts';
import { markLost, rackDetectLoss, rackLeftUs } from './rack.ts';
import { enterRecovery } from './recovery.ts';
import { rearmRto, setTimer } from './timers.ts';
import { resend, retransmit, retransmitLost, sendNext } from './transmit.ts';
import { beginUndo } from './undo.ts';
import { currentThreshold, reduceWindow, validateWindow } from './window.ts';

/** After so many timeouts in a row the connection is given up (`tcp_retries2`). */
export const mostTimeouts = 15;

/** The transmission timer fires. */
export function timerFires(end: TcpEnd, nowUs: number): void {
  const { pending } = end;
  end.timerUs = Number.POSITIVE_INFINITY;
  if (pending === REORDER) reorderTimeout(end, nowUs);
  else if (pending === PROBE) probe(end, nowUs);
  else if (pending === RETRANSMIT) {
    end.pending = NOTHING;
    retransmissionTimeout(end, nowUs);
  }
}

function retransmissionTimeout(end: TcpEnd, nowUs: number): void {
  if (end.segments.length === 0) return;
  end.counters.timeouts++;
  enterLoss(end, nowUs);
  end.timeoutsInARow++;
  retransmit(end, 0, nowUs);
  end.rtt.backOff();
  setTimer(end, RETRANSMIT, end.rtt.rtoTicks, nowUs);
}

/** Everything that is not recent counts as lost; the window starts from one packet. */
function enterLoss(end: TcpEnd, nowUs: number): void {
  const fresh = end.state < RECOVERY;
  for (let index = 0; index < end.segments.length; index++) {
    if (index === 0 || rackLeftUs(end, index, 0, nowUs) <= 0) markLost(end, index);
  }
  if (end.state <= DISORDER || end.highSeq <= end.una || (end.state === LOSS && end.timeoutsInARow === 0)) {
    end.priorSsthresh = currentThreshold(end);
    end.priorCwnd = end.cwnd;
    end.ssthresh = end.cubic.thresholdAfterLoss(end.cwnd);
    beginUndo(end);
  }
  end.cwnd = inFlight(end) + 1;
  end.cwndCount = 0;
  end.cwndTick = end.jiffies.at(nowUs);
  if (end.state <= DISORDER && end.sackedOut >= 3) end.reordering = Math.min(end.reordering, 3);
  end.cubic.reset(nowUs, end.nxt);
  end.state = LOSS;
  end.highSeq = end.nxt;
  end.frto = fresh || end.timeoutsInARow > 0;
}

/**
 * New data if there is any, else the last segment once more: its acknowledgement tells what is
 * missing.
 */
function probe(end: TcpEnd, nowUs: number): void {
  if (end.probeEnd < 0 && end.segments.length > 0) {
    end.probeRetransmitted = end.nxt >= end.written;
    if (end.probeRetransmitted) resend(end, end.segments.length - 1, 0, nowUs);
    else {
      sendNext(end, 1, nowUs);
      validateWindow(end, inFlight(end) >= end.cwnd, nowUs);
      if (isReducing(end)) end.prrOut++;
    }
    end.probeEnd = end.nxt;
    end.pending = NOTHING;
  }
  rearmRto(end, nowUs);
}

function reorderTimeout(end: TcpEnd, nowUs: number): void {
  const before = inFlight(end);
  rackDetectLoss(end, nowUs);
  if (before !== inFlight(end)) {
    if (end.state !== RECOVERY) {
      enterRecovery(end);
      reduceWindow(end, 1, before - inFlight(end), false);
    }
    retransmitLost(end, nowUs);
  }
  if (end.pending !== RETRANSMIT) rearmRto(end, nowUs);
}
