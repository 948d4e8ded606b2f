import type { PacketLine } from '../../path/packet-line.ts';
import type { QuicWindows } from '../../profile/profile.ts';
import { Reassembly } from '../reassembly.ts';
import type { FlowCounters } from '../transport.ts';
import { NewReno } from './congestion.ts';
import { SentPackets } from './sent-packets.ts';

const never = Number.POSITIVE_INFINITY;

/** The most that an end delays an acknowledgement (RFC 9000's default), us. */
export const maxAckDelayUs = 25_000;

/** What a connection begins with. */
export type QuicStart = { datagrams: boolean; rttUs: number; windows: QuicWindows };

/**
 * One end of a QUIC connection: the sender of one direction, the receiver of the other. Only state.
 */
export class QuicEnd {
  readonly line: PacketLine;
  readonly counters: FlowCounters;
  /**
   * Datagrams are numbered messages, a packet each, and not sent again; else one stream of bytes.
   */
  readonly datagrams: boolean;

  readonly sent = new SentPackets();
  readonly congestion: NewReno;
  readonly seen: number[] = [];
  written = 0;
  nxt = 0;
  /** start, end, ...: lost parts of the stream that go out again first. */
  readonly again: number[] = [];
  /** Sizes of the datagrams that wait. */
  readonly waiting: number[] = [];

  srttUs = 0;
  rttVarUs = 0;
  latestUs = 0;
  largestAcked = -1;
  lossUs = never;
  probeUs = never;
  probes = 0;
  lastSentUs = 0;

  received = 0;
  readonly reassembly = new Reassembly();
  largestSeen = -1;
  largestSeenUs = 0;
  unacked = 0;
  ackUs = never;

  constructor(line: PacketLine, counters: FlowCounters, { datagrams, rttUs, windows }: QuicStart) {
    this.line = line;
    this.counters = counters;
    this.datagrams = datagrams;
    this.congestion = new NewReno(windows);
    this.srttUs = this.latestUs = rttUs;
    this.rttVarUs = rttUs / 2;
  }
}
