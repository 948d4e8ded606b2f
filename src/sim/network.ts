import type { ConnectionSink, FlowCounters } from './connection.ts';
import type { DrawKey } from './draws.ts';
import { LOST } from './impairments/impairment.ts';
import { Path } from './path.ts';
import type { Direction, GapMode, NetworkProfile } from './profile.ts';

const headerBytes = 66;

/**
 * One phone's network: both paths with their loss states, queues and gaps, which outlive connections. The same profile
 * and key behave the same to the microsecond.
 */
export class PhoneNetwork {
  readonly profile: NetworkProfile;
  readonly up: Path;
  readonly down: Path;

  constructor(profile: NetworkProfile, key: DrawKey) {
    this.profile = profile;
    this.up = new Path(profile, 'up', key);
    this.down = new Path(profile, 'down', key);
  }

  /** Begins to open a connection. At most one is alive; an older one is forgotten. */
  connect(nowUs: number): Connection {
    return new Connection(this, nowUs);
  }

  /** Cuts both directions from nowUs on. */
  cut(nowUs: number, forUs: number, mode: GapMode): void {
    this.up.cut(nowUs, forUs, mode);
    this.down.cut(nowUs, forUs, mode);
  }
}

type Step =
  | { atUs: number; order: number; kind: 'handshake'; left: number; tries: number }
  | { atUs: number; order: number; kind: 'send' | 'arrive'; direction: Direction; number: number; bytes: number };

/** One connection over a phone's network. */
export class Connection {
  readonly counters: { up: FlowCounters; down: FlowCounters } = { up: zero(), down: zero() };
  private readonly network: PhoneNetwork;
  private readonly steps: Step[] = [];
  private readonly flows = { up: flow(), down: flow() };
  private readonly waiting: { direction: Direction; bytes: number }[] = [];
  private openedUs = Number.POSITIVE_INFINITY;
  private order = 0;

  constructor(network: PhoneNetwork, nowUs: number) {
    this.network = network;
    const left = network.profile.transport === 'tcp' ? 2 : 3;
    this.add({ atUs: nowUs, order: this.order++, kind: 'handshake', left, tries: 0 });
  }

  /** A message of that many bytes; nowUs never decreases. Before the connection is open it waits. */
  write(direction: Direction, bytes: number, nowUs: number): void {
    this.counters[direction].bytesWritten += bytes;
    if (nowUs < this.openedUs) this.waiting.push({ direction, bytes });
    else this.send(direction, bytes, nowUs);
  }

  /** When something happens next without another write; Infinity when nothing does. */
  nextUs(): number {
    return this.steps[0]?.atUs ?? Number.POSITIVE_INFINITY;
  }

  /** Lets time pass up to and including nowUs, telling the sink in time order. */
  advance(nowUs: number, sink: ConnectionSink): void {
    while (this.nextUs() <= nowUs) this.take(this.steps.shift()!, sink);
  }

  /** Bytes written and not yet handed to the network. */
  bufferedBytes(direction: Direction): number {
    return this.waiting.filter((message) => message.direction === direction).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private take(step: Step, sink: ConnectionSink): void {
    if (step.kind === 'handshake') this.shakeHands(step, sink);
    else if (step.kind === 'send') this.transmit(step, sink);
    else {
      const flow = this.flows[step.direction];
      flow.arrived.add(step.number);
      const datagram = this.network.profile.transport === 'quic-datagram';
      if (datagram) sink.delivered(step.direction, step.number, step.atUs);
      while (!datagram && flow.arrived.delete(flow.next)) sink.delivered(step.direction, flow.next++, step.atUs);
      this.counters[step.direction].bytesDelivered += step.bytes;
    }
  }

  private shakeHands(step: Extract<Step, { kind: 'handshake' }>, sink: ConnectionSink): void {
    const up = step.left === 0 ? step.atUs : this.network.up.send(step.atUs, headerBytes);
    const down = up === LOST || step.left === 0 ? up : this.network.down.send(up, headerBytes);
    if (down === LOST) {
      const atUs = step.atUs + 1_000_000 * 2 ** step.tries;
      this.add({ ...step, atUs, order: this.order++, tries: step.tries + 1 });
    } else if (step.left > 0) {
      this.add({ ...step, atUs: down, order: this.order++, left: step.left - 1, tries: 0 });
    } else {
      this.openedUs = step.atUs;
      sink.opened(step.atUs);
      for (const { direction, bytes } of this.waiting.splice(0)) this.send(direction, bytes, step.atUs);
    }
  }

  private transmit(step: Extract<Step, { kind: 'send' | 'arrive' }>, sink: ConnectionSink): void {
    const counters = this.counters[step.direction];
    const arrivalUs = this.network[step.direction].send(step.atUs, step.bytes + headerBytes);
    counters.packets++;
    if (arrivalUs !== LOST) {
      this.add({ ...step, kind: 'arrive', atUs: arrivalUs, order: this.order++ });
      return;
    }
    counters.dropped++;
    if (this.network.profile.transport === 'quic-datagram') {
      sink.lost(step.direction, step.number, step.atUs);
      return;
    }
    counters.retransmissions++;
    const { up, down } = this.network.profile;
    this.add({ ...step, atUs: step.atUs + up.delayUs + down.delayUs + 20_000, order: this.order++ });
  }

  private send(direction: Direction, bytes: number, atUs: number): void {
    const number = this.flows[direction].written++;
    this.add({ atUs, order: this.order++, kind: 'send', direction, number, bytes });
  }

  private add(step: Step): void {
    let index = this.steps.length;
    while (index > 0 && this.steps[index - 1]!.atUs > step.atUs) index--;
    this.steps.splice(index, 0, step);
  }
}

function flow(): { written: number; next: number; arrived: Set<number> } {
  return { written: 0, next: 0, arrived: new Set() };
}

function zero(): FlowCounters {
  return { packets: 0, retransmissions: 0, timeouts: 0, dropped: 0, bytesWritten: 0, bytesDelivered: 0 };
}
