import { field, type PacketLine, PUSHED } from '../../path/packet-line.ts';
import type { Direction } from '../../profile/profile.ts';
import { MessageEnds } from '../message-ends.ts';
import type { FlowCounters, Transport, TransportReport } from '../transport.ts';
import { receiveAck } from './ack.ts';
import { TcpEnd } from './end.ts';
import type { Jiffies } from './jiffies.ts';
import { acknowledge, acknowledgeRead, delayedAckFires, receiveData, receiveOld } from './receive.ts';
import { mostTimeouts, timerFires } from './timeouts.ts';
import { pushNewData, sendAck, write } from './transmit.ts';

type Both<T> = { up: T; down: T };

/** A TCP connection between a device and a server, as two Linux machines would have it. */
export class TcpPair implements Transport {
  private readonly lines: Both<PacketLine>;
  private readonly counters: Both<FlowCounters>;
  /** By the direction in which it sends. */
  private readonly ends: Both<TcpEnd>;
  private readonly messages: Both<MessageEnds> = { up: new MessageEnds(), down: new MessageEnds() };
  /**
   * The device's address is not what this connection knows it by: nothing goes out, and nothing
   * comes in.
   */
  private cutOff = false;

  /** rttUs: what the handshake took. */
  constructor(
    lines: Both<PacketLine>,
    counters: Both<FlowCounters>,
    clocks: Both<Jiffies>,
    start: { rtoMinUs: number; rttUs: number; nowUs: number },
  ) {
    this.lines = lines;
    this.counters = counters;
    this.ends = {
      up: new TcpEnd(lines.up, counters.up, clocks.up, start.rtoMinUs, start.nowUs),
      down: new TcpEnd(lines.down, counters.down, clocks.down, start.rtoMinUs, start.nowUs),
    };
    for (const end of [this.ends.up, this.ends.down]) {
      end.rtt.sampleMin(start.rttUs);
      end.rtt.sample(start.rttUs, 0, 0);
    }
  }

  write(direction: Direction, bytes: number, nowUs: number): void {
    const end = this.ends[direction];
    this.messages[direction].push(end.written + bytes);
    write(end, bytes, nowUs);
  }

  nextUs(): number {
    const { up, down } = this.ends;
    const arrival = Math.min(this.lines.up.nextUs(), this.lines.down.nextUs());
    return Math.min(arrival, timerOf(up), timerOf(down));
  }

  step(report: TransportReport): void {
    const nowUs = this.nextUs();
    if (this.lines.up.nextUs() === nowUs) this.arrive('up', 'down', nowUs, report);
    else if (this.lines.down.nextUs() === nowUs) this.arrive('down', 'up', nowUs, report);
    else fire(timerOf(this.ends.up) === nowUs ? this.ends.up : this.ends.down, nowUs, report);
    if (this.cutOff) this.drop();
  }

  bufferedBytes(direction: Direction): number {
    return this.ends[direction].written - this.ends[direction].nxt;
  }

  moveAddress(): boolean {
    this.cutOff = true;
    this.drop();
    return false;
  }

  /** A packet of that direction arrives; the end that sends the other way takes it. */
  private arrive(direction: Direction, other: Direction, nowUs: number, report: TransportReport): void {
    const line = this.lines[direction];
    const end = this.ends[other];
    const { ring } = line;
    const slot = line.first();
    const seq = ring[slot + field.seq]!;
    const segmentEnd = ring[slot + field.end]!;
    const stampMs = ring[slot + field.stamp]!;
    line.shift();
    if (segmentEnd > seq && segmentEnd < end.acked) {
      receiveOld(end, seq, segmentEnd, nowUs);
      return;
    }
    if (seq <= end.acked && stampMs >= end.recentStampMs) end.recentStampMs = stampMs;
    receiveAck(end, ring, slot, nowUs);
    const advanced =
      segmentEnd > seq && receiveData(end, seq, segmentEnd, (ring[slot + field.flags]! & PUSHED) !== 0, nowUs);
    if (end.nxt < end.written) pushNewData(end, nowUs);
    acknowledge(end, line.nextUs() > nowUs, nowUs);
    if (!advanced) return;
    this.counters[direction].bytesDelivered = end.received;
    acknowledgeRead(end, nowUs);
    const messages = this.messages[direction];
    while (messages.take(end.received)) report.delivered(direction, messages.next - 1, nowUs);
  }

  private drop(): void {
    this.lines.down.clear();
    this.lines.up.clear();
  }
}

function timerOf(end: TcpEnd): number {
  return Math.min(end.timerUs, end.delayedAckUs, end.compressedAckUs);
}

function fire(end: TcpEnd, nowUs: number, report: TransportReport): void {
  if (end.timerUs === nowUs) {
    timerFires(end, nowUs);
    if (end.timeoutsInARow <= mostTimeouts) return;
    end.timerUs = Number.POSITIVE_INFINITY;
    report.closed('timed out', nowUs);
  } else if (end.delayedAckUs === nowUs) delayedAckFires(end, nowUs);
  else {
    end.compressedAckUs = Number.POSITIVE_INFINITY;
    sendAck(end, nowUs);
  }
}
