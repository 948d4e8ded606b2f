import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Stalls, type VendorFaults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { Line } from './line.ts';
import type { FindScript } from './script.ts';

/** An upgrade as it came. */
export type VendorRequest = {
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Subprotocols that were offered. */
  offered: readonly string[];
};

/** A vendor's answer to an upgrade that it does not like. */
type VendorRefusal = { status: number; headers?: Record<string, string>; body: object | string };

/** How a vendor speaks: written from its documents, which each names. */
export type Vendor = {
  /** Where it listens; a caller elsewhere is answered 404. */
  path: string;
  /** The key that a caller shows, in whichever way the vendor takes it. */
  keyOf(request: VendorRequest): string | undefined;
  /** The vendor's words for a status before there is a WebSocket. */
  refusal(status: number): VendorRefusal;
  /** What is wrong with what the caller wants. */
  check?(request: VendorRequest): VendorRefusal | undefined;
  /** Which of the offered subprotocols it takes. */
  subprotocol?(offered: readonly string[]): string | undefined;
  /** How often it answers, how much it must hear behind a word, and which pause ends a segment. */
  habits: { emitMs: number | undefined; lagMs: number; endpointMs: number | undefined };
  open(line: Line, request: VendorRequest): VendorWire;
};

/** A vendor's side of one connection. */
type VendorWire = {
  text(text: string): void;
  binary(bytes: Buffer): void;
  /** It fails, by a fault of the test: says so as it would, and closes. */
  fail(): void;
  closed?(): void;
};

export type VendorOptions = {
  find: FindScript;
  faults?: VendorFaults;
  /** The key that callers must show; without one everybody may come. */
  key?: string;
  habits?: Partial<Vendor['habits']>;
  /** PEM texts. */
  tls?: { certificate: string; key: string };
};

export type RunningVendor = {
  /** `ws://` or `wss://`, with the vendor's path. */
  readonly url: string;
  readonly port: number;
  /** What phones felt. */
  readonly ledger: Ledger;
  /** Upgrades, refused ones too, and texts, in the order they came. */
  readonly requests: readonly VendorRequest[];
  readonly texts: readonly string[];
  /** Bytes of sound that came. */
  readonly audioBytes: number;
  close(): Promise<void>;
};

/** Starts an emulator of a vendor on loopback. */
export async function startVendor(vendor: Vendor, options: VendorOptions): Promise<RunningVendor> {
  const emulator = new Emulator(vendor, options);
  await emulator.listen();
  return emulator;
}

class Emulator implements RunningVendor {
  readonly ledger = new Ledger();
  readonly requests: VendorRequest[] = [];
  readonly texts: string[] = [];
  readonly #vendor: Vendor;
  readonly #options: VendorOptions;
  readonly #http: ReturnType<typeof createServer>;
  readonly #sockets: WebSocketServer;
  /** From the first connection on. */
  #stalls: Stalls | undefined;
  #audioBytes = 0;
  #refused = 0;

  constructor(vendor: Vendor, options: VendorOptions) {
    this.#vendor = vendor;
    this.#options = options;
    const { tls } = options;
    this.#http = tls ? createTlsServer({ cert: tls.certificate, key: tls.key }) : createServer();
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      handleProtocols: (offered) => vendor.subprotocol?.([...offered]) ?? false,
    });
    this.#http.on('request', (_, response) => response.writeHead(426).end());
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    const { tls } = this.#options;
    return `${tls ? 'wss://localhost' : 'ws://127.0.0.1'}:${this.port}${this.#vendor.path}`;
  }

  get audioBytes(): number {
    return this.#audioBytes;
  }

  async listen(): Promise<void> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'ws://localhost');
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/).filter((name) => name !== '');
    const asked = { path: pathname, query: searchParams, headers: request.headers, offered };
    this.requests.push(asked);
    const refusal = this.#refusal(asked);
    if (refusal) {
      refuse(socket, refusal);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      const { find, faults = {}, habits } = this.#options;
      this.#stalls ??= new Stalls(performance.now(), faults.stall);
      const line: Line = new Line({
        socket: client,
        find,
        ledger: this.ledger,
        faults,
        stalls: this.#stalls,
        ...this.#vendor.habits,
        ...habits,
        now: () => performance.now(),
        onError: () => wire.fail(),
      });
      const wire = this.#vendor.open(line, asked);
      client.on('message', (data: Buffer, isBinary) => {
        if (isBinary) {
          this.#audioBytes += data.length;
          wire.binary(data);
        } else {
          this.texts.push(String(data));
          wire.text(String(data));
        }
      });
      client.on('close', () => wire.closed?.());
      client.on('error', () => {});
    });
  }

  #refusal(request: VendorRequest): VendorRefusal | undefined {
    const { faults, key } = this.#options;
    const { path, check, keyOf, refusal } = this.#vendor;
    if (faults?.redirect !== undefined) return { status: 302, headers: { location: faults.redirect }, body: '' };
    if (faults?.refuse && this.#refused < (faults.refuse.times ?? Number.POSITIVE_INFINITY)) {
      this.#refused += 1;
      const { status, retryAfterS } = faults.refuse;
      const retry = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
      const own = refusal(status);
      return { ...own, headers: { ...own.headers, ...retry } };
    }
    if (request.path !== path) return refusal(404);
    if (key !== undefined && keyOf(request) !== key) return refusal(401);
    return check?.(request);
  }
}

function refuse(socket: Duplex, { status, headers = {}, body }: VendorRefusal): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain' : 'application/json';
  const lines = [
    `HTTP/1.1 ${status} ${status === 302 ? 'Found' : 'Refused'}`,
    `content-type: ${type}`,
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.on('error', () => {});
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
}

/** The key behind a scheme in the header Authorization: `Token KEY`, `Bearer KEY`. */
export function keyAfter(schemes: RegExp, { headers }: VendorRequest): string | undefined {
  const [, scheme = '', key] = /^(\S+) (\S+)$/.exec(headers.authorization ?? '') ?? [];
  return schemes.test(scheme) ? key : undefined;
}
