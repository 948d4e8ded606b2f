import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { SpeechfbError } from '../errors.ts';
import { listenForDatagrams } from '../listen.ts';
import type { Direction, NetworkProfile } from '../sim/profile/profile.ts';
import type { Address } from './address.ts';
import { DatagramMeter, type DatagramSummary, type DatagramTraffic } from './datagram-meter.ts';
import { DatagramPassage, type Sender } from './datagram-passage.ts';
import { DueQueue } from './due-queue.ts';
import { HeldBytes } from './held-bytes.ts';
import { openOutlet } from './outlet.ts';

export type DatagramProxyOptions = {
  network: NetworkProfile;
  seed: number;
  listen: Address;
  upstream: Address;
  /** Clients at once; 4096 unless given. */
  mostClients?: number;
  /** A sentence about something that happened, for a log. */
  onEvent(sentence: string): void;
};

export type DatagramProxy = {
  port: number;
  /** Traffic since the last call, and clients now. */
  takeSecond(): Record<Direction, DatagramTraffic> & { elapsedMs: number; spanMs: number; open: number };
  /** Closes everything; what went through. */
  stop(): DatagramSummary;
};

/** Each is a socket, and a process may have some thousands of them. */
const mostClientsAtOnce = 4096;
/** What all clients together may have on their way: 2 s of 1 Gbit/s. */
const mostHeldBytes = 256 * 1024 * 1024;
/** What the system keeps while the process does something else; it may give less. */
const receiveBufferBytes = 4 * 1024 * 1024;

/**
 * Listens for UDP, and passes the datagrams of each address that sends some on to the upstream and
 * back, through a network of its own. A client is over once it was silent for two minutes.
 * Errors: `port_in_use`, `cannot_listen`, `bad_flag` for an upstream that nobody knows.
 */
export async function startDatagramProxy(options: DatagramProxyOptions): Promise<DatagramProxy> {
  const upstream = await resolve(options.upstream, '--upstream');
  const listen = await resolve(options.listen, '--listen');
  const type = isIPv6(listen.host) ? 'udp6' : 'udp4';
  const server = createSocket({ type, recvBufferSize: receiveBufferBytes });
  const port = await listenForDatagrams(server, listen, hints);
  const clients = new Clients(options, upstream, server);
  server.on('message', (bytes, from) => clients.hear(bytes, from));
  server.on('error', ({ message }) => options.onEvent(`a datagram could not be received: ${message}`));
  let lastMs = 0;
  return {
    port,
    takeSecond: () => {
      const { elapsedMs, open, meter } = clients;
      const spanMs = elapsedMs - lastMs;
      lastMs = elapsedMs;
      return { ...meter.takeSecond(), elapsedMs, spanMs, open };
    },
    stop: () => {
      server.close();
      return clients.stop();
    },
  };
}

/** The clients by address and port, each with its passage. */
class Clients {
  readonly meter = new DatagramMeter();
  readonly #options: DatagramProxyOptions;
  readonly #upstream: Address;
  readonly #server: Socket;
  readonly #passages = new Map<string, DatagramPassage>();
  readonly #held = new HeldBytes(mostHeldBytes);
  readonly #startMs = performance.now();
  readonly #queue = new DueQueue(() => this.#nowUs());

  constructor(options: DatagramProxyOptions, upstream: Address, server: Socket) {
    this.#options = options;
    this.#upstream = upstream;
    this.#server = server;
  }

  get open(): number {
    return this.#passages.size;
  }

  get elapsedMs(): number {
    return this.#nowUs() / 1000;
  }

  hear(bytes: Buffer, from: RemoteInfo): void {
    const name = `${from.address} ${from.port}`;
    const passage = this.#passages.get(name) ?? this.#admit(name, from);
    passage?.say(bytes);
  }

  stop(): DatagramSummary {
    const { network, seed } = this.#options;
    this.#queue.stop();
    const open = this.open;
    const summary: DatagramSummary = {
      version: 1,
      protocol: 'udp',
      profile: network.name,
      source: network.source,
      seed,
      elapsed_ms: Math.round(this.elapsedMs),
      clients: { ...this.meter.clients, open },
      ...this.meter.total(),
    };
    for (const passage of this.#passages.values()) passage.close();
    this.#passages.clear();
    return summary;
  }

  #nowUs(): number {
    return Math.floor((performance.now() - this.#startMs) * 1000);
  }

  #admit(name: string, { address, port }: RemoteInfo): DatagramPassage | undefined {
    const { network, seed, mostClients = mostClientsAtOnce, onEvent } = this.#options;
    const counts = this.meter.clients;
    if (this.open >= mostClients) {
      if (counts.refused++ === 0) onEvent(`${mostClients} clients are there; datagrams of others are dropped`);
      return undefined;
    }
    const cameUs = this.#nowUs();
    const client: Sender = {
      send: (bytes, done) => this.#server.send(bytes, port, address, (error) => done(error === null)),
    };
    const due = { nextUs: () => passage.nextUs() + cameUs, run: () => passage.run() };
    const passage = new DatagramPassage({
      network,
      key: { seed, client: counts.seen++ },
      nowUs: () => this.#nowUs() - cameUs,
      client,
      openOutlet: (heard) => openOutlet(this.#upstream, heard, (reason) => this.#unreachable(reason)),
      meter: this.meter,
      held: this.#held,
      changed: () => this.#queue.watch(due),
      fellSilent: () => {
        counts.idle++;
        this.#passages.delete(name);
        this.#queue.forget(due);
        passage.close();
      },
    });
    this.#passages.set(name, passage);
    return passage;
  }

  #unreachable(reason: string): void {
    const { host, port } = this.#upstream;
    if (this.meter.clients.unreachable++ === 0)
      this.#options.onEvent(`nothing answers at ${host}:${port} (${reason}); datagrams go on being sent there`);
  }
}

/** The address behind a name, which is looked up once. */
async function resolve({ host, port }: Address, flag: string): Promise<Address> {
  try {
    return { host: (await lookup(host)).address, port };
  } catch (cause) {
    throw new SpeechfbError('bad_flag', `${flag}: nobody knows the address of "${host}"`, { cause });
  }
}

const hints = {
  anotherPort: 'choose another with --listen, or --listen :0 for any free one',
  address: '--listen takes an address of this machine; ports below 1024 need rights',
};
