import { rootCertificates } from 'node:tls';
import { ChannelCredentials, Client, type ClientDuplexStream, Metadata, type StatusObject } from '@grpc/grpc-js';
import type { Clock } from '../../clock/wheel.ts';
import type { GrpcMethod } from '../../dialects/dialect.ts';
import type { ChecksummedFrame } from '../../protocol/frame.ts';
import { type Goodbye, goneBy } from './grpc-status.ts';
import type { Link, LinkEvents, LinkRefusal, PreparedMessage } from './link.ts';
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

/**
 * Calls on the network that is there, each over a connection of its own, as each phone has one.
 * `afterMessage` is called behind each message, with the time at which it came.
 */
export function grpcLinks(
  target: CallTarget,
  clock: Clock,
  afterMessage?: (nowMs: number) => void,
): (events: LinkEvents) => Link {
  return (events) => new GrpcLink(target, events, clock, afterMessage);
}

/** A bidirectional stream of gRPC as a link: texts are JSON of its messages. */
class GrpcLink implements Link {
  readonly #method: GrpcMethod;
  readonly #events: LinkEvents;
  readonly #clock: Clock;
  readonly #afterMessage: ((nowMs: number) => void) | undefined;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Uint8Array, Buffer>;
  #isOpen = false;
  #isHalfClosed = false;
  #isOver = false;
  #status: StatusObject | undefined;
  #goodbye: Goodbye | undefined;
  #unsentBytes = 0;

  constructor(target: CallTarget, events: LinkEvents, clock: Clock, afterMessage?: (nowMs: number) => void) {
    const { method, connectMs = longestConnectMs } = target;
    this.#method = method;
    this.#events = events;
    this.#clock = clock;
    this.#afterMessage = afterMessage;
    const url = new URL(target.url);
    const port = Number(url.port) || (isSecure(url) ? 443 : 80);
    this.#client = new Client(`dns:${url.hostname}:${port}`, credentialsFor(url, target.tls), channelOptions);
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
    return this.#unsentBytes;
  }

  get refusal(): LinkRefusal | undefined {
    return this.#goodbye?.refusal;
  }

  send(message: ChecksummedFrame | PreparedMessage | string): void {
    if (this.#isOver || this.#isHalfClosed) return;
    const bytes = this.#bytesOf(message);
    this.#unsentBytes += bytes.length;
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
  }

  goodbye(): void {
    this.halfClose();
    this.#isOver = true;
    if (this.#status) this.#client.close();
    else setTimeout(() => this.terminate(), goodbyeMs);
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
    const nowMs = this.#clock();
    this.#opened();
    if (this.#isOver) return;
    const text = this.#method.decode(bytes);
    if (text === undefined) this.#events.binary(this, bytes, nowMs, undefined);
    else {
      const data = Buffer.from(text);
      this.#events.message(data, 0, data.length, nowMs, undefined, this);
    }
    this.#afterMessage?.(nowMs);
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

function isSecure({ protocol }: URL): boolean {
  return protocol === 'grpcs:';
}

function credentialsFor(url: URL, tls: TlsOptions | undefined): ChannelCredentials {
  if (!isSecure(url)) return ChannelCredentials.createInsecure();
  const roots = tls?.ca ? Buffer.from([...rootCertificates, tls.ca].join('\n')) : null;
  return ChannelCredentials.createSsl(roots, null, null, tls?.insecure ? { rejectUnauthorized: false } : {});
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
