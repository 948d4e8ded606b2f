import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../listen.ts';
import { DeviceNetwork } from '../sim/network.ts';
import type { Direction, NetworkProfile } from '../sim/profile/profile.ts';
import type { Address } from './address.ts';
import { DueQueue } from './due-queue.ts';
import { add, ProxyMeter, type ProxySummary } from './meter.ts';
import { Passage } from './passage.ts';

export type ProxyOptions = {
  network: NetworkProfile;
  seed: number;
  listen: Address;
  upstream: Address;
  /** A sentence about something that happened, for a log. */
  onEvent(sentence: string): void;
};

type Span = { elapsedMs: number; spanMs: number; open: number; retransmissions: number };

export type NetworkProxy = {
  port: number;
  /** Traffic since the last call, and connections now. */
  takeSecond(): ReturnType<ProxyMeter['takeSecond']> & Span;
  /** Closes everything; what went through. */
  stop(): ProxySummary;
};

/**
 * Listens, and joins each connection that comes to one of its own to the upstream through a
 * simulated network. Each is a client with a network of its own, whose time begins when it is
 * accepted. Errors: `port_in_use`, `cannot_listen`.
 */
export async function startProxy(options: ProxyOptions): Promise<NetworkProxy> {
  const { network, seed, upstream } = options;
  const startMs = performance.now();
  const nowUs = () => Math.floor((performance.now() - startMs) * 1000);
  const queue = new DueQueue(nowUs);
  const meter = new ProxyMeter();
  const open = new Set<Passage>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const number = meter.accepted++;
    const acceptedUs = nowUs();
    const target = connect({ ...upstream, allowHalfOpen: true });
    const ofClient = () => nowUs() - acceptedUs;
    const connection = new DeviceNetwork(network, { seed, client: number }).connect(0, { bare: true });
    const due = { nextUs: () => passage.nextUs() + acceptedUs, run: () => passage.run() };
    const passage = new Passage(client, target, connection, ofClient, {
      delivered: (direction, bytes, latencyUs, lateUs) => meter.deliver(direction, bytes, latencyUs, lateUs),
      silenced: () => {
        meter.died++;
        options.onEvent(`connection ${number}: the phone has another address; this one is dead and nobody is told`);
      },
      reset: (reason) => {
        meter.died++;
        options.onEvent(`connection ${number}: reset (${reason})`);
      },
      over: () => {
        open.delete(passage);
        queue.forget(due);
        meter.end(connection.counters);
      },
      changed: () => queue.watch(due),
    });
    open.add(passage);
    queue.watch(due);
    watchUpstream(target, (reason) => {
      if (meter.unreachable++ === 0)
        options.onEvent(`nothing answers at ${upstream.host}:${upstream.port} (${reason}); connections are closed`);
      passage.destroy();
    });
  });
  const port = await listen(server, options.listen, hints);
  // Too many open files, for instance: who is there stays.
  server.on('error', ({ message }) => options.onEvent(`a connection could not be accepted: ${message}`));
  let lastMs = 0;
  return {
    port,
    takeSecond: () => {
      const elapsedMs = nowUs() / 1000;
      const spanMs = elapsedMs - lastMs;
      lastMs = elapsedMs;
      return { ...meter.takeSecond(), elapsedMs, spanMs, open: open.size, retransmissions: resent(meter, open) };
    },
    stop: () => {
      server.close();
      queue.stop();
      const summary = summarise(options, meter, open, nowUs() / 1000);
      for (const passage of open) passage.destroy();
      return summary;
    },
  };
}

/** A connection to the upstream that never comes about is told of once. */
function watchUpstream(target: Socket, unreachable: (reason: string) => void): void {
  let connected = false;
  target.once('connect', () => {
    connected = true;
  });
  target.once('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (!connected) unreachable(code ?? message);
  });
}

function summarise(
  { network, seed }: ProxyOptions,
  meter: ProxyMeter,
  open: ReadonlySet<Passage>,
  elapsedMs: number,
): ProxySummary {
  const total = meter.total();
  return {
    version: 1,
    profile: network.name,
    source: network.source,
    modelled: network.transport.startsWith('quic'),
    seed,
    elapsed_ms: Math.round(elapsedMs),
    connections: { accepted: meter.accepted, unreachable: meter.unreachable, died: meter.died },
    up: { ...total.up, ...counted(meter, open, 'up') },
    down: { ...total.down, ...counted(meter, open, 'down') },
    lateness: meter.lateness(),
  };
}

function resent(meter: ProxyMeter, open: ReadonlySet<Passage>): number {
  return counted(meter, open, 'up').retransmissions + counted(meter, open, 'down').retransmissions;
}

function counted(meter: ProxyMeter, open: ReadonlySet<Passage>, direction: Direction) {
  const sum = { ...meter.ended[direction] };
  for (const { connection } of open) add(sum, connection.counters[direction]);
  return sum;
}

const hints = {
  anotherPort: 'choose another with --listen, or --listen :0 for any free one',
  address: '--listen takes an address of this machine; ports below 1024 need rights',
};
