import { Client, type ClientDuplexStream, Metadata, type StatusObject } from '@grpc/grpc-js';
import type { Clock } from '../../clock/wheel.ts';
import type { GrpcMethod } from '../../dialects/dialect.ts';
import type { ChecksummedFrame } from '../../protocol/frame.ts';
import { type Goodbye, goneBy } from './grpc-status.ts';
import { LineCredentials } from './line-credentials.ts';
import type { Line, LineEvents, Link, LinkEvents, LinkRefusal, PreparedMessage, SimulatedDevice } from './link.ts';
import type { TlsOptions } from './websocket-connection.ts';

/** Where learners call: a grpc:// or grpcs:// URL, the method, and what its metadata says. */
export type CallTarget = {
  url: string;
  method: GrpcMethod;
  token: string | undefined;
  tls: TlsOptions | undefined;
  headers: Readonly<Record<string, string>>;
  /** How long the connection may take; default 10 s. */
  connectMs?: number;
};

/** What calls share. */
export type CallContext = {
  clock: Clock;
  /** Called behind each message, with the time at which it came. */
  afterMessage?: ((nowMs: number) => void) | undefined;
  /** The device over whose network they go; undefined: on the one that is there. */
  device?: SimulatedDevice | undefined;
};

/** Calls, each over a connection of its own, as each phone has one. */
export function grpcLinks(target: CallTarget, context: CallContext): (events: LinkEvents) => Link {
  return (events) => new GrpcLink(target, events, context);
}

/** A bidirectional stream of gRPC as a link: texts are JSON of its messages. */
class GrpcLink implements Link, LineEvents {
  readonly #method: GrpcMethod;
  readonly #events: LinkEvents;
  readonly #context: CallContext;
  readonly #line: Line | undefined;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Uint8Array, Buffer>;
  #isOpen = false;
  #isHalfClosed = false;
  #isOver = false;
  #status: StatusObject | undefined;
  #goodbye: Goodbye | undefined;
  #unsentBytes = 0;
  /** On a simulated network: frames on their way up, and how far into the line each reaches. */
  readonly #onTheWay: { place: number; endBytes: number }[] = [];
  /** How far the newest message will reach. */
  #endBytes = 0;
  #downMs: number | undefined;

  constructor(target: CallTarget, events: LinkEvents, context: CallContext) {
    const { method, connectMs = longestConnectMs } = target;
    this.#method = method;
    this.#events = events;
    this.#context = context;
    const url = new URL(target.url);
    const port = Number(url.port) || (isSecure(url) ? 443 : 80);
    this.#line = context.device?.line(this);
    const security = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      tls: isSecure(url) ? target.tls : ('none' as const),
    };
    const credentials = new LineCredentials(security, this.#line);
    this.#client = new Client(`dns:${url.hostname}:${port}`, credentials, channelOptions);
    this.#call = this.#client.makeBidiStreamRequest(method.path, bufferOf, (bytes) => bytes, metadataOf(target));
    this.#call.on('data', (bytes: Buffer) => this.#heard(bytes));
    this.#call.on('status', (given) => {
      this.#status = given;
      if (this.#call.readableEnded) this.#ended();
    });
    // What was said before the status is heard first.
    this.#call.on('end', () => this.#ended());
    this.#call.on('error', () => {});
    this.#client.waitForReady(Date.now() + connectMs, (error) => {
      if (!error) this.#opened();
      else if (!this.#isOpen && !this.#status) this.#fail(`no connection within ${connectMs / 1000} s`);
    });
  }

  get bufferedBytes(): number {
    if (!this.#line) return this.#unsentBytes;
    return Math.max(0, this.#endBytes - this.#line.writtenBytes) + this.#line.bufferedBytes;
  }

  get refusal(): LinkRefusal | undefined {
    return this.#goodbye?.refusal;
  }

  send(message: ChecksummedFrame | PreparedMessage | string): void {
    if (this.#isOver || this.#isHalfClosed) return;
    const bytes = this.#bytesOf(message);
    this.#unsentBytes += bytes.length;
    if (this.#line) this.#goesUp(this.#line, bytes.length, placeOf(message));
    this.#call.write(bytes, () => {
      this.#unsentBytes -= bytes.length;
    });
  }

  halfClose(): void {
    if (this.#isOver || this.#isHalfClosed) return;
    this.#isHalfClosed = true;
    this.#call.end();
  }

  /** A call has no ping of its own. */
  ping(): void {}

  pong(): void {}

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  terminate(): void {
    this.#isOver = true;
    this.#call.cancel();
    this.#client.close();
    this.#line?.destroy();
  }

  /** The server hears it at once: nothing that is measured comes after it. */
  goodbye(): void {
    this.#line?.release();
    this.halfClose();
    this.#isOver = true;
    if (this.#status) this.terminate();
    else setTimeout(() => this.terminate(), goodbyeMs);
  }

  cameUp(bytes: number, atMs: number, lateMs: number): void {
    while (this.#onTheWay.length > 0 && this.#onTheWay[0]!.endBytes <= bytes)
      this.#events.carried?.(this.#onTheWay.shift()!.place, atMs, lateMs);
  }

  cameDown(tookMs: number): void {
    this.#downMs = tookMs;
  }

  died(reason: string): void {
    if (this.#isOver) return;
    const died = this.#events.died;
    this.terminate();
    if (died) died.call(this.#events, reason, this.#context.clock(), undefined, this);
    else this.#events.closed(1006, reason, this);
  }

  /**
   * A message is given to HTTP/2, which says too early that it has written one. Records of TLS add
   * some bytes that are not counted here, fewer than a packet.
   */
  #goesUp({ writtenBytes }: Line, bytes: number, place: number | undefined): void {
    this.#endBytes = Math.max(this.#endBytes, writtenBytes) + bytes + framingBytes;
    if (place !== undefined) this.#onTheWay.push({ place, endBytes: this.#endBytes });
  }

  #bytesOf(message: ChecksummedFrame | PreparedMessage | string): Uint8Array {
    if (typeof message === 'string') return this.#method.encode(JSON.parse(message));
    if (!('isText' in message)) throw new TypeError('a frame of speechfb.v1 is no message of a call');
    const { payload, isText } = message;
    return isText ? this.#method.encode(JSON.parse(bufferOf(payload).toString())) : payload;
  }

  #opened(): void {
    if (this.#isOpen || this.#isOver) return;
    this.#isOpen = true;
    this.#events.opened(this);
  }

  #heard(bytes: Buffer): void {
    const nowMs = this.#context.clock();
    this.#opened();
    if (this.#isOver) return;
    const text = this.#method.decode(bytes);
    if (text === undefined) this.#events.binary(this, bytes, nowMs, this.#downMs);
    else {
      const data = Buffer.from(text);
      this.#events.message(data, 0, data.length, nowMs, this.#downMs, this);
    }
    this.#context.afterMessage?.(nowMs);
  }

  #ended(): void {
    if (!this.#status || this.#isOver) return;
    this.#end(goneBy(this.#status));
  }

  #fail(reason: string): void {
    if (!this.#isOver) this.#end({ code: 1006, reason });
  }

  #end(goodbye: Goodbye): void {
    this.#goodbye = goodbye;
    this.terminate();
    this.#events.closed(goodbye.code, goodbye.reason, this);
  }
}

const longestConnectMs = 10_000;
/** A message is led by five bytes of gRPC in a frame of HTTP/2, which is led by nine. */
const framingBytes = 14;
/** How long a server may take to end a call that the app has ended. */
const goodbyeMs = 200;

/**
 * One connection a call and one try, to where the URL leads and nowhere else: what the environment
 * or DNS say of proxies and retries is not the test's.
 */
const channelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
} as const;

function placeOf(message: ChecksummedFrame | PreparedMessage | string): number | undefined {
  return typeof message === 'object' && 'isText' in message ? message.place : undefined;
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'grpcs:';
}

function metadataOf({ token, headers }: CallTarget): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  for (const [name, value] of Object.entries(headers))
    metadata.set(name, /-bin$/i.test(name) ? Buffer.from(value) : printable(value));
  return metadata;
}

/** What no metadata takes is percent-encoded, as the messages of a status are. */
function printable(value: string): string {
  return value.replace(/[^\x20-\x7e]+/g, (given) =>
    Array.from(Buffer.from(given), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
