import { CWR, inFlight, isReducing, OPEN, type TcpEnd } from './end.ts';

const initialWindow = 10;

/** Whether the window, and not the application, holds the sender back: only then may it grow. */
function isWindowLimited(end: TcpEnd): boolean {
  if (end.cwndLimited) return true;
  return end.cwnd < end.ssthresh && end.cwnd < 2 * end.maxPacketsOut;
}

/**
 * After sending: notes how much of the window is in use, and lets one that is not used shrink (RFC
 * 2861).
 */
export function validateWindow(end: TcpEnd, limited: boolean, nowUs: number): void {
  const packetsOut = end.segments.length;
  if (end.una >= end.usageSeq || limited || (!end.cwndLimited && packetsOut > end.maxPacketsOut)) {
    end.cwndLimited = limited;
    end.maxPacketsOut = packetsOut;
    end.usageSeq = end.nxt;
  }
  const tick = end.jiffies.at(nowUs);
  if (isWindowLimited(end)) {
    end.cwndUsed = 0;
    end.cwndTick = tick;
    return;
  }
  end.cwndUsed = Math.max(end.cwndUsed, packetsOut);
  if (tick - end.cwndTick < end.rtt.rtoTicks) return;
  if (end.state === OPEN) {
    const used = Math.max(end.cwndUsed, initialWindow);
    if (used < end.cwnd) {
      end.ssthresh = currentThreshold(end);
      end.cwnd = Math.floor((end.cwnd + used) / 2);
    }
    end.cwndUsed = 0;
  }
  end.cwndTick = tick;
}

/**
 * Before the first byte after an idle time: half the window for each timeout that went by, not
 * below the initial one.
 */
export function restartWindow(end: TcpEnd, nowUs: number): void {
  const tick = end.jiffies.at(nowUs);
  let idleTicks = tick - end.lastSendTick;
  if (end.segments.length > 0 || idleTicks <= end.rtt.rtoTicks) return;
  const least = Math.min(initialWindow, end.cwnd);
  end.ssthresh = currentThreshold(end);
  idleTicks -= end.rtt.rtoTicks;
  while (idleTicks > 0 && end.cwnd > least) {
    end.cwnd = Math.floor(end.cwnd / 2);
    idleTicks -= end.rtt.rtoTicks;
  }
  end.cwnd = Math.max(end.cwnd, least);
  end.cwndTick = tick;
  end.cwndUsed = 0;
}

/** Slow start, then CUBIC, for packets that were newly acknowledged. */
export function growWindow(end: TcpEnd, acked: number, nowUs: number): void {
  if (!isWindowLimited(end)) return;
  let rest = acked;
  if (end.cwnd < end.ssthresh) {
    const grown = Math.min(end.cwnd + acked, end.ssthresh);
    rest -= grown - end.cwnd;
    end.cwnd = grown;
    if (rest === 0) return;
  }
  const acks = end.cubic.acksForOne(end.cwnd, rest, end.jiffies.at(nowUs));
  if (end.cwndCount >= acks) {
    end.cwndCount = 0;
    end.cwnd++;
  }
  end.cwndCount += rest;
  if (end.cwndCount >= acks) {
    const more = Math.floor(end.cwndCount / acks);
    end.cwndCount -= more * acks;
    end.cwnd += more;
  }
}

/** The threshold that a sender would keep if its window were restored. */
export function currentThreshold(end: TcpEnd): number {
  return isReducing(end) ? end.ssthresh : Math.max(end.ssthresh, Math.floor(end.cwnd / 2) + Math.floor(end.cwnd / 4));
}

/** Begins a reduction: a new threshold, and PRR's counts from 0. */
export function beginReduction(end: TcpEnd): void {
  end.highSeq = end.nxt;
  end.probeEnd = -1;
  end.cwndCount = 0;
  end.priorCwnd = end.cwnd;
  end.prrDelivered = 0;
  end.prrOut = 0;
  end.ssthresh = end.cubic.thresholdAfterLoss(end.cwnd);
}

/**
 * Proportional rate reduction with the slow-start bound (RFC 6937), one acknowledgement further.
 */
export function reduceWindow(end: TcpEnd, delivered: number, newlyLost: number, advanced: boolean): void {
  if (delivered <= 0) return;
  const flight = inFlight(end);
  const room = end.ssthresh - flight;
  end.prrDelivered += delivered;
  let send: number;
  if (room < 0) send = Math.ceil((end.ssthresh * end.prrDelivered) / end.priorCwnd) - end.prrOut;
  else {
    send = Math.max(end.prrDelivered - end.prrOut, delivered) + (advanced && newlyLost === 0 ? 1 : 0);
    send = Math.min(room, send);
  }
  end.cwnd = flight + Math.max(send, end.prrOut > 0 ? 0 : 1);
}

/** Ends a reduction at its threshold, unless it was undone. */
export function endReduction(end: TcpEnd, nowUs: number): void {
  if (end.ssthresh < Number.POSITIVE_INFINITY && (end.state === CWR || end.undoMarker >= 0)) {
    end.cwnd = end.ssthresh;
    end.cwndTick = end.jiffies.at(nowUs);
  }
}
