import { field, type PacketLine } from '../../path/packet-line.ts';
import type { Direction } from '../../profile/profile.ts';
import { MessageEnds } from '../message-ends.ts';
import type { FlowCounters, Transport, TransportReport } from '../transport.ts';
import { detectLoss, probeFires, takeAck } from './acknowledge.ts';
import { QuicEnd, type QuicStart } from './end.ts';
import { receiveStream, scheduleAck, see } from './receive.ts';
import { sendQueued, sendQuicAck } from './send.ts';

type Both<T> = { up: T; down: T };

/**
 * A QUIC connection (RFC 9000, 9002, 9221) that carries its messages on one stream a direction, or
 * as datagrams. Modelled from the documents, and held against real ones.
 */
export class QuicPair implements Transport {
  private readonly lines: Both<PacketLine>;
  private readonly counters: Both<FlowCounters>;
  /** By the direction in which it sends. */
  private readonly ends: Both<QuicEnd>;
  private readonly messages: Both<MessageEnds> = { up: new MessageEnds(), down: new MessageEnds() };
  private readonly datagrams: boolean;
  /** The server does not know the device's new address yet. */
  private addressUnknown = false;

  constructor(lines: Both<PacketLine>, counters: Both<FlowCounters>, start: QuicStart) {
    this.lines = lines;
    this.counters = counters;
    this.datagrams = start.datagrams;
    this.ends = {
      up: new QuicEnd(lines.up, counters.up, start),
      down: new QuicEnd(lines.down, counters.down, start),
    };
  }

  write(direction: Direction, bytes: number, nowUs: number): void {
    const end = this.ends[direction];
    end.written += bytes;
    if (this.datagrams) end.waiting.push(bytes);
    else this.messages[direction].push(end.written);
    sendQueued(end, nowUs);
    this.forget();
  }

  nextUs(): number {
    return Math.min(this.lines.up.nextUs(), this.lines.down.nextUs(), timerOf(this.ends.up), timerOf(this.ends.down));
  }

  step(report: TransportReport): void {
    const nowUs = this.nextUs();
    if (this.lines.up.nextUs() === nowUs) this.arrive('up', 'down', nowUs, report);
    else if (this.lines.down.nextUs() === nowUs) this.arrive('down', 'up', nowUs, report);
    else this.fire(timerOf(this.ends.up) === nowUs ? 'up' : 'down', nowUs, report);
    this.forget();
  }

  bufferedBytes(direction: Direction): number {
    const end = this.ends[direction];
    return this.datagrams ? end.waiting.reduce((sum, bytes) => sum + bytes, 0) : end.written - end.nxt;
  }

  /**
   * The connection is known by its id, not by its address: it goes on when the device's next packet
   * has arrived.
   */
  moveAddress(): boolean {
    this.addressUnknown = true;
    this.ends.up.congestion.beginAnew();
    this.forget();
    return true;
  }

  private arrive(direction: Direction, other: Direction, nowUs: number, report: TransportReport): void {
    const line = this.lines[direction];
    const end = this.ends[other];
    const { ring } = line;
    const slot = line.first();
    const start = ring[slot + field.seq]!;
    const stop = ring[slot + field.end]!;
    const number = ring[slot + field.stamp]!;
    line.shift();
    if (direction === 'up' && this.addressUnknown) {
      this.addressUnknown = false;
      end.congestion.beginAnew();
    }
    takeAck(end, ring, slot, nowUs, (message) => report.lost(other, message, nowUs));
    if (number >= 0) this.take(end, direction, { number, start, stop }, nowUs, report);
    sendQueued(end, nowUs);
  }

  private take(
    end: QuicEnd,
    direction: Direction,
    packet: { number: number; start: number; stop: number },
    nowUs: number,
    report: TransportReport,
  ): void {
    const fresh = see(end, packet.number, nowUs);
    scheduleAck(end, packet.number, nowUs);
    if (!fresh || packet.stop === packet.start) return;
    if (this.datagrams) report.delivered(direction, packet.start, nowUs);
    else if (receiveStream(end, packet.start, packet.stop)) {
      this.counters[direction].bytesDelivered = end.received;
      const messages = this.messages[direction];
      while (messages.take(end.received)) report.delivered(direction, messages.next - 1, nowUs);
    }
  }

  private fire(direction: Direction, nowUs: number, report: TransportReport): void {
    const end = this.ends[direction];
    if (end.ackUs === nowUs) sendQuicAck(end, nowUs);
    else if (end.lossUs === nowUs) {
      detectLoss(end, nowUs, (message) => report.lost(direction, message, nowUs));
      sendQueued(end, nowUs);
    } else probeFires(end, nowUs);
  }

  private forget(): void {
    if (this.addressUnknown) this.lines.down.clear();
  }
}

function timerOf(end: QuicEnd): number {
  return Math.min(end.ackUs, end.lossUs, end.probeUs);
}
