import type { DrawKey } from '../stats/draws.ts';
import { clockOf, Opening, type OpeningTimes } from './opening.ts';
import { PacketLine } from './path/packet-line.ts';
import type { Path } from './path/path.ts';
import type { Direction, NetworkProfile } from './profile/profile.ts';
import { QuicPair } from './transport/quic/pair.ts';
import { TcpPair } from './transport/tcp/pair.ts';
import type { FlowCounters, Transport } from './transport/transport.ts';
import { WriteQueue } from './transport/write-queue.ts';
import { tlsRecordBytes } from './wire-bytes.ts';

/** What a connection reports, in order of time. Times are us of the virtual clock. */
export type ConnectionSink = {
  /** Both ends may write: the WebSocket is open. */
  opened(atUs: number): void;
  /** Message `number` (0, 1, ... per direction, in the order written) is whole at the other end. */
  delivered(direction: Direction, number: number, atUs: number): void;
  /** It will never come: a datagram that the network dropped. */
  lost(direction: Direction, number: number, atUs: number): void;
  /** Both ends know that it is over. A connection that dies silently never says so. */
  closed(reason: string, atUs: number): void;
  /** The device has another address, and may open a new connection retryAfterUs later. */
  addressChanged(atUs: number, retryAfterUs: number): void;
};

/** What a connection needs to know of the device's network. */
export type ConnectionPlace = {
  profile: NetworkProfile;
  key: DrawKey;
  paths: { up: Path; down: Path };
  /** Whether the name was looked up before. */
  nameKnown: boolean;
  /** Opens the transport alone: who writes to it brings TLS and the upgrade along. */
  bare: boolean;
  /** When the device's address changes next, us, and on to the one after. */
  addressChange: AddressChanges;
};

export type AddressChanges = { nextUs: number; oldSocket: 'silent' | 'rst'; step(): number };

/** One connection over a device's network. */
export class SimulatedConnection {
  readonly counters: { up: FlowCounters; down: FlowCounters } = { up: zero(), down: zero() };
  /** What opening took, once it is open. */
  readonly openingTimes: OpeningTimes;
  private readonly place: ConnectionPlace;
  /** While it opens. */
  private opening: Opening | undefined;
  private readonly lines: { up: PacketLine; down: PacketLine };
  private readonly writes = new WriteQueue();
  private readonly clocks;
  private transport: Transport | undefined;
  private over = false;

  constructor(place: ConnectionPlace, nowUs: number) {
    const { profile, key, paths, nameKnown, bare } = place;
    this.place = place;
    this.clocks = { up: clockOf(key, 'up'), down: clockOf(key, 'down') };
    this.opening = new Opening(paths, { transport: profile.transport, nameKnown, bare }, this.clocks.up, nowUs);
    this.openingTimes = this.opening.times;
    this.lines = { up: new PacketLine(paths.up), down: new PacketLine(paths.down) };
  }

  /**
   * A message of that many bytes; nowUs never decreases. Before the connection is open it waits.
   */
  write(direction: Direction, bytes: number, nowUs: number): void {
    this.counters[direction].bytesWritten += bytes;
    this.writes.push(direction, bytes, nowUs);
  }

  /** When something happens next without another write; Infinity when nothing does. */
  nextUs(): number {
    if (this.over) return Number.POSITIVE_INFINITY;
    const { nextUs } = this.place.addressChange;
    if (this.transport === undefined) return Math.min(this.opening!.nextUs, nextUs);
    return Math.min(this.transport.nextUs(), this.writes.nextUs(), nextUs);
  }

  /** Lets time pass up to and including nowUs, telling the sink in time order. */
  advance(nowUs: number, sink: ConnectionSink): void {
    for (let atUs = this.nextUs(); atUs <= nowUs; atUs = this.nextUs()) {
      if (this.place.addressChange.nextUs === atUs) this.moveAddress(atUs, sink);
      else if (this.transport === undefined) this.open(atUs, sink);
      else if (this.transport.nextUs() === atUs) this.transport.step(sink);
      else this.writes.take(this.transport);
    }
    this.counters.up.dropped = this.lines.up.dropped;
    this.counters.down.dropped = this.lines.down.dropped;
  }

  /** Bytes written and not yet handed to the network. */
  bufferedBytes(direction: Direction): number {
    return this.writes.bytes(direction) + (this.transport?.bufferedBytes(direction) ?? 0);
  }

  private open(atUs: number, sink: ConnectionSink): void {
    if (!this.opening!.advance()) return;
    const { profile, bare } = this.place;
    this.transport = this.carry(profile.transport, atUs);
    this.opening = undefined;
    // A server that speaks first does so when the last packet of the handshake has come.
    const acceptedUs = bare ? atUs + profile.up.delayUs : atUs;
    this.writes.open(atUs, profile.transport === 'tcp-tls' ? tlsRecordBytes : 0, acceptedUs);
    sink.opened(atUs);
  }

  private carry(transport: NetworkProfile['transport'], nowUs: number): Transport {
    const { rttUs } = this.opening!;
    if (transport === 'quic-stream' || transport === 'quic-datagram') {
      return new QuicPair(this.lines, this.counters, {
        datagrams: transport === 'quic-datagram',
        rttUs,
        windows: this.place.profile.quic,
      });
    }
    const start = { rtoMinUs: this.place.profile.tcp.rtoMinUs, rttUs, nowUs };
    return new TcpPair(this.lines, this.counters, this.clocks, start);
  }

  private moveAddress(atUs: number, sink: ConnectionSink): void {
    const { addressChange } = this.place;
    const retryAfterUs = addressChange.step();
    if (this.transport?.moveAddress(atUs)) return;
    if (this.transport === undefined || addressChange.oldSocket === 'rst') this.over = true;
    sink.addressChanged(atUs, retryAfterUs);
    if (this.over) sink.closed('the phone has another address', atUs);
  }
}

function zero(): FlowCounters {
  return { packets: 0, retransmissions: 0, timeouts: 0, dropped: 0, bytesWritten: 0, bytesDelivered: 0 };
}
