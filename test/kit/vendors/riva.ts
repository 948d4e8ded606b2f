import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Metadata, Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { Stalls, type VendorFaults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { Line, type LineSocket } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';
import type { FindScript } from './script.ts';

export type RivaOptions = {
  find: FindScript;
  faults?: VendorFaults;
  /** What callers must say in the metadata `authorization`. */
  authorization?: string;
  /** PEM texts. */
  tls?: { certificate: string; key: string };
  /** The pause that ends a segment, ms; undefined: only the caller does. */
  endpointMs?: number;
};

export type RunningRiva = {
  /** `grpc://` or `grpcs://`. */
  readonly url: string;
  readonly port: number;
  readonly ledger: Ledger;
  /** Metadata of the calls, in the order they came. */
  readonly calls: readonly Metadata[];
  /** The configurations that callers sent. */
  readonly configs: readonly Request['streaming_config'][];
  /** Calls whose caller closed its half. */
  readonly halfClosed: number;
  close(): Promise<void>;
};

/**
 * NVIDIA Riva's StreamingRecognize, written from its documentation (riva_asr.proto): the first message is the configuration,
 * the others are sound, and when the caller has closed its half the rest is said and the call ends with OK. Final transcripts
 * end in a blank.
 */
export async function startRiva(options: RivaOptions): Promise<RunningRiva> {
  const riva = new Riva(options);
  await riva.listen();
  return riva;
}

type Request = {
  streaming_config?: { config: { encoding: string; sample_rate_hertz: number; language_code: string } } | null;
  audio_content?: Buffer;
};
type Call = ServerDuplexStream<Request, Buffer>;

const { root } = protobuf.parse(
  `syntax = "proto3";
   package nvidia.riva.asr;
   message Req { oneof streaming_request { Streaming streaming_config = 1; bytes audio_content = 2; } }
   message Streaming { Config config = 1; bool interim_results = 2; }
   message Config { Encoding encoding = 1; int32 sample_rate_hertz = 2; string language_code = 3; int32 channels = 7; }
   enum Encoding { ENCODING_UNSPECIFIED = 0; LINEAR_PCM = 1; FLAC = 2; MULAW = 3; }
   message Res { repeated Result results = 1; }
   message Result { repeated Alternative alternatives = 1; bool is_final = 2; float stability = 3; int32 channel_tag = 5;
                    float audio_processed = 6; }
   message Alternative { string transcript = 1; float confidence = 2; repeated Word words = 3; }
   message Word { int32 start_time = 1; int32 end_time = 2; string word = 3; float confidence = 4; }`,
  { keepCase: true },
);
const requests = root.lookupType('nvidia.riva.asr.Req');
const responses = root.lookupType('nvidia.riva.asr.Res');

const method = {
  path: '/nvidia.riva.asr.RivaSpeechRecognition/StreamingRecognize',
  requestStream: true,
  responseStream: true,
  requestSerialize: (given: Request) => Buffer.from(requests.encode(requests.fromObject(given)).finish()),
  requestDeserialize: (bytes: Buffer) => requests.toObject(requests.decode(bytes), { enums: String }) as Request,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
} as const;

class Riva implements RunningRiva {
  readonly ledger = new Ledger();
  readonly calls: Metadata[] = [];
  readonly configs: Request['streaming_config'][] = [];
  halfClosed = 0;
  readonly #options: RivaOptions;
  readonly #server = new Server();
  /** Callers come through it, so that a connection can be cut as a network cuts it. */
  readonly #door = createServer({ noDelay: true }, (caller) => this.#enter(caller));
  /** Callers by the port that the server sees. */
  readonly #callers = new Map<number, Socket>();
  #serverPort = 0;
  #stalls: Stalls | undefined;
  #refused = 0;

  constructor(options: RivaOptions) {
    this.#options = options;
    this.#server.addService({ StreamingRecognize: method }, { StreamingRecognize: (call: Call) => this.#called(call) });
  }

  get port(): number {
    return (this.#door.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#options.tls ? 'grpcs://localhost' : 'grpc://127.0.0.1'}:${this.port}`;
  }

  async listen(): Promise<void> {
    const { tls } = this.#options;
    const pair = tls && { cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) };
    const by = pair ? ServerCredentials.createSsl(null, [pair]) : ServerCredentials.createInsecure();
    this.#serverPort = await new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', by, (error, port) => (error ? reject(error) : resolve(port)));
    });
    this.#door.listen(0, '127.0.0.1');
    await once(this.#door, 'listening');
  }

  async close(): Promise<void> {
    const closed = once(this.#door, 'close');
    this.#door.close();
    for (const caller of this.#callers.values()) caller.destroy();
    this.#server.forceShutdown();
    await closed;
  }

  #enter(caller: Socket): void {
    const inner = connect({ port: this.#serverPort, host: '127.0.0.1', noDelay: true });
    inner.once('connect', () => this.#callers.set(inner.localPort!, caller));
    caller.pipe(inner).pipe(caller);
    for (const [one, other] of [
      [caller, inner],
      [inner, caller],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  }

  #called(call: Call): void {
    this.calls.push(call.metadata);
    call.on('error', () => {});
    const { find, faults = {}, authorization, endpointMs } = this.#options;
    if (faults.refuse && this.#refused < (faults.refuse.times ?? Number.POSITIVE_INFINITY)) {
      this.#refused += 1;
      refuse(call, refusals[faults.refuse.status], faults.refuse.retryAfterS);
      return;
    }
    if (authorization !== undefined && call.metadata.get('authorization')[0] !== authorization) {
      refuse(call, [status.UNAUTHENTICATED, 'no valid key was given']);
      return;
    }
    this.#stalls ??= new Stalls(performance.now(), faults.stall);
    const port = Number(/:(\d+)$/.exec(call.getPeer())?.[1]);
    const line: Line = new Line({
      socket: socketOf(call, () => this.#callers.get(port)?.destroy()),
      find,
      ledger: this.ledger,
      faults,
      stalls: this.#stalls,
      emitMs: 100,
      lagMs: 100,
      endpointMs,
      now: () => performance.now(),
      onError: () => line.close(status.INTERNAL, 'the model has failed'),
    });
    let recogniser: Recogniser | undefined;
    call.on('data', ({ streaming_config: config, audio_content: sound }: Request) => {
      if (config) {
        this.configs.push(config);
        recogniser = line.recogniser({ rateHz: config.config.sample_rate_hertz, onSaid: (said) => tell(line, said) });
      } else if (!recogniser) line.close(status.INVALID_ARGUMENT, 'the first message has to be streaming_config');
      else if (sound) line.sound(sound);
    });
    call.on('end', () => {
      this.halfClosed += 1;
      recogniser?.finish('closed');
      line.close(status.OK, '');
    });
  }
}

function tell(line: Line, said: Said): void {
  const isFinal = said.is === 'final';
  const transcript = said.words.map(({ text }) => text.toLowerCase()).join(' ');
  const words = said.words.map(({ text, startMs, endMs }) => ({
    word: text.toLowerCase(),
    start_time: Math.round(startMs),
    end_time: Math.round(endMs),
  }));
  const alternative = { transcript: isFinal && transcript !== '' ? `${transcript} ` : transcript, words };
  line.answer(said, {
    results: [
      { alternatives: [alternative], is_final: isFinal, stability: 0.1, audio_processed: said.coversMs / 1000 },
    ],
  });
}

/** The call as a line sees it; what is no JSON goes out as bytes that are no message. */
function socketOf(call: Call, cut: () => void): LineSocket {
  return {
    OPEN: 1,
    get readyState() {
      return call.writable && !call.cancelled ? 1 : 3;
    },
    on: (_, listener) => call.on('cancelled', listener),
    // HTTP/2 writes when this turn is over: of many answers at once the last leaves long after the first.
    writesLater: true,
    send: (data, written) => {
      call.write(typeof data === 'string' ? encoded(data) : data, written);
    },
    close: (code, details) => {
      if (code === status.OK) call.end();
      else call.emit('error', { code, details });
    },
    terminate: cut,
  };
}

function encoded(text: string): Buffer {
  try {
    return Buffer.from(responses.encode(responses.fromObject(JSON.parse(text))).finish());
  } catch {
    return Buffer.from(text);
  }
}

const refusals: Record<NonNullable<VendorFaults['refuse']>['status'], [code: status, details: string]> = {
  401: [status.UNAUTHENTICATED, 'no valid key was given'],
  402: [status.PERMISSION_DENIED, 'the account has no credit'],
  403: [status.PERMISSION_DENIED, 'not for this key'],
  429: [status.RESOURCE_EXHAUSTED, 'too many concurrent streams'],
  500: [status.INTERNAL, 'the model has failed'],
  503: [status.UNAVAILABLE, 'the model is being loaded'],
};

function refuse(call: Call, [code, details]: [code: status, details: string], retryAfterS?: number): void {
  const metadata = new Metadata();
  if (retryAfterS !== undefined) metadata.set('grpc-retry-pushback-ms', `${retryAfterS * 1000}`);
  call.emit('error', { code, details, metadata });
}
