import type { Duplex } from 'node:stream';
import type { Limits } from '../limits.ts';
import { accountOf } from './address.ts';
import { AddressRates } from './address-rates.ts';
import type { HttpRefusal } from './http-refusal.ts';

export type LobbyOptions = {
  limits: Pick<
    Limits,
    'handshakeBurst' | 'handshakesPerSecond' | 'maxAddresses' | 'maxPendingConnections' | 'maxPendingPerAddress'
  >;
  /** Monotonic, ms. */
  now(): number;
  /** Whether all callers come from the address of a proxy, so that addresses tell nothing. */
  behindProxy: boolean;
  /** A connection was cut, and why. */
  onRefused(why: Pick<HttpRefusal, 'reason' | 'limit'>, message: string): void;
};

/**
 * Connections of TCP or QUIC that are no WebSocket (yet): those that send nothing, or half a
 * request, among them. When there are too many, the one that has waited longest goes: a caller who
 * means it is through in a moment, so no number of silent ones keeps it out.
 */
export class Lobby {
  readonly #options: LobbyOptions;
  /** In the order in which they came. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #byAddress = new Map<string, Set<string>>();
  readonly #rates: AddressRates;

  constructor(options: LobbyOptions) {
    this.#options = options;
    const { limits, now } = options;
    this.#rates = new AddressRates({
      perSecond: () => limits.handshakesPerSecond,
      burst: () => limits.handshakeBurst,
      mostAddresses: () => limits.maxAddresses,
      now,
    });
  }

  get size(): number {
    return this.#waiting.size;
  }

  enter(socket: Arriving): void {
    const key = keyOf(socket);
    const { remoteAddress = '' } = socket;
    const address = this.#options.behindProxy ? undefined : accountOf(remoteAddress);
    if (address !== undefined && this.#rates.take(address) > 0) {
      socket.destroy();
      this.#options.onRefused(tooMany, 'an address makes too many connections');
      return;
    }
    socket.once('close', () => this.#forget(key, socket));
    const { maxPendingConnections, maxPendingPerAddress } = this.#options.limits;
    const own = address === undefined ? undefined : this.#byAddress.get(address);
    if (own && own.size >= maxPendingPerAddress) this.#evict(own);
    if (this.#waiting.size >= maxPendingConnections) this.#evict(this.#waiting.keys());
    this.#waiting.set(key, { socket, address });
    if (address !== undefined) this.#byAddress.set(address, (own ?? new Set()).add(key));
  }

  /** The connection has become a WebSocket, which others count. */
  leave(socket: FarEnd): void {
    this.#forget(keyOf(socket));
  }

  #evict(keys: Iterable<string>): void {
    const [oldest] = keys;
    const waiting = oldest === undefined ? undefined : this.#waiting.get(oldest);
    if (oldest === undefined || !waiting) return;
    this.#forget(oldest);
    waiting.socket.destroy();
    this.#options.onRefused(pending, 'a connection without a request had to go');
  }

  /** @param socket only if it is still this one: its port may have been taken by another since. */
  #forget(key: string, socket?: Arriving): void {
    const waiting = this.#waiting.get(key);
    if (!waiting || (socket && waiting.socket !== socket)) return;
    this.#waiting.delete(key);
    if (waiting.address === undefined) return;
    const own = this.#byAddress.get(waiting.address);
    own?.delete(key);
    if (own?.size === 0) this.#byAddress.delete(waiting.address);
  }
}

const tooMany = { reason: 'handshakes', limit: 'handshakesPerSecond' } as const;
const pending = { reason: 'pending', limit: 'maxPendingConnections' } as const;

/** What is known of the other end of a connection. */
type FarEnd = { remoteAddress?: string | undefined; remotePort?: number | undefined };

/** A connection of TCP or QUIC. */
type Arriving = FarEnd & Pick<Duplex, 'destroy' | 'once'>;

type Waiting = { socket: Arriving; address: string | undefined };

/** The other end, which a TLS socket shares with the connection below it. */
function keyOf({ remoteAddress, remotePort }: FarEnd): string {
  return `${remoteAddress} ${remotePort}`;
}
