import type { ChecksummedFrame } from '../protocol/frame.ts';
import type { Link, LinkEvents, OpenLink } from './link.ts';
import type { TlsOptions } from './shard.ts';
import type { Clock } from './wheel.ts';
import { WsConnection, type WsConnectionEvents } from './ws-connection.ts';

/** Where learners connect: a ws:// or wss:// URL, the bearer token if the server wants one. */
export type LinkTarget = { url: string; token: string | undefined; tls?: TlsOptions | undefined };

type Shared = { target: LinkTarget; clock: Clock; afterMessage: ((nowMs: number) => void) | undefined };

/** Links on the network that is there. `afterMessage` is called behind each message, with the time at which it came. */
export function socketLinks(target: LinkTarget, clock: Clock, afterMessage?: (nowMs: number) => void): OpenLink {
  const shared = { target, clock, afterMessage };
  return (events) => new SocketLink(shared, events);
}

class SocketLink implements Link, WsConnectionEvents {
  readonly #shared: Shared;
  readonly #events: LinkEvents;
  readonly #socket: WsConnection;

  constructor(shared: Shared, events: LinkEvents) {
    this.#shared = shared;
    this.#events = events;
    this.#socket = new WsConnection(shared.target, this);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  send(message: ChecksummedFrame | string): void {
    if (typeof message === 'string') this.#socket.sendText(message);
    else this.#socket.sendAudio(message);
  }

  ping(): void {
    this.#socket.ping();
  }

  pong(data: Uint8Array): void {
    this.#socket.pong(data);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  opened(): void {
    this.#events.opened();
  }

  text(text: string): void {
    const { clock, afterMessage } = this.#shared;
    const nowMs = clock();
    this.#events.message(text, nowMs, undefined);
    afterMessage?.(nowMs);
  }

  binary(): void {
    this.#events.message(undefined, this.#shared.clock(), undefined);
  }

  pinged(data: Uint8Array): void {
    if (this.#events.ping) this.#events.ping(data);
    else this.#socket.pong(data);
  }

  ponged(): void {
    this.#events.pong(this.#shared.clock());
  }

  closed(code: number, reason: string): void {
    this.#events.closed(code, reason);
  }
}
