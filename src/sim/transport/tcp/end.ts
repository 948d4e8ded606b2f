import type { PacketLine } from '../../path/packet-line.ts';
import { Reassembly } from '../reassembly.ts';
import type { FlowCounters } from '../transport.ts';
import { Cubic } from './cubic.ts';
import type { Jiffies } from './jiffies.ts';
import { RttEstimator } from './rtt.ts';
import { Segments } from './segments.ts';

/** Payload of a full segment: 1,500 less IPv4, TCP and timestamps. */
export const segmentBytes = 1448;
/**
 * Ethernet 14, IPv4 20, TCP 20 and timestamps 12: what each packet carries besides its payload, as
 * netem counts it.
 */
export const headerBytes = 66;

/** States of congestion control, in order of severity, as Linux names them. */
export const OPEN = 0;
export const DISORDER = 1;
export const CWR = 2;
export const RECOVERY = 3;
export const LOSS = 4;

/** What the one transmission timer waits for. */
export const NOTHING = 0;
export const RETRANSMIT = 1;
export const PROBE = 2;
export const REORDER = 3;

const never = Number.POSITIVE_INFINITY;

/**
 * One end of a TCP connection: the sender of one direction and the receiver of the other. Only
 * state; what happens to it stands in the files beside this one. Sequence numbers count payload
 * bytes from 0 and do not wrap; -1 stands for none.
 */
export class TcpEnd {
  readonly line: PacketLine;
  readonly counters: FlowCounters;
  readonly jiffies: Jiffies;

  // What was sent.
  una = 0;
  nxt = 0;
  written = 0;
  readonly segments = new Segments();
  sackedOut = 0;
  lostOut = 0;
  retransOut = 0;
  delivered = 0;
  /** Losses seen so far, those of retransmissions included. */
  lost = 0;
  /** Start of the highest segment that was SACKed. */
  highestSacked = 0;

  // The window.
  cwnd = 10;
  cwndCount = 0;
  ssthresh = never;
  readonly cubic = new Cubic();
  cwndLimited = false;
  maxPacketsOut = 0;
  usageSeq = 0;
  cwndUsed = 0;
  cwndTick = 0;
  lastSendTick = 0;
  lastPacketUs = -1e9;

  // Loss recovery.
  state = OPEN;
  highSeq = 0;
  priorCwnd = 0;
  priorSsthresh = 0;
  prrDelivered = 0;
  prrOut = 0;
  undoMarker = -1;
  undoRetrans = -1;
  retransStampMs = -1;
  timeoutsInARow = 0;
  frto = false;
  reordering = 3;
  reorderingSeen = false;
  rackSentUs = -1;
  rackEnd = 0;
  rackRttUs = 0;
  rackAdvanced = false;
  reorderSteps = 1;
  reorderPersist = 0;
  dsackSeen = false;
  dsackDups = 0;
  probeEnd = -1;
  probeRetransmitted = false;

  // Timers: what for, and when, us.
  readonly rtt: RttEstimator;
  pending = NOTHING;
  timerUs = never;
  delayedAckUs = never;
  compressedAckUs = never;

  // What was received.
  received = 0;
  readonly reassembly = new Reassembly();
  /** `received` when the last acknowledgement was sent. */
  acked = 0;
  recentStampMs = 0;
  ackPending = false;
  ackNow = false;
  /** What waits for an acknowledgement ends a write; twice: two small segments do. */
  ackPushed = false;
  ackPushedTwice = false;
  quickAcks = 0;
  pingPong = false;
  ackTicks = 0;
  lastReceiveTick = 0;
  receiveMss = 536;
  lastSegmentBytes = 0;
  duplicateAcks = 0;
  compressedReceived = -1;

  constructor(line: PacketLine, counters: FlowCounters, jiffies: Jiffies, rtoMinUs: number, nowUs: number) {
    this.line = line;
    this.counters = counters;
    this.jiffies = jiffies;
    this.rtt = new RttEstimator(rtoMinUs);
    this.lastSendTick = this.lastReceiveTick = this.cwndTick = jiffies.at(nowUs);
  }
}

/** Packets that are thought to be in the network. */
export function inFlight(end: TcpEnd): number {
  return end.segments.length - end.sackedOut - end.lostOut + end.retransOut;
}

/** True while the window is reduced: PRR decides what may be sent. */
export function isReducing(end: TcpEnd): boolean {
  return end.state === CWR || end.state === RECOVERY;
}
