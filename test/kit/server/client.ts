import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import type { ClientMessageInput } from '../../../src/protocol/client-messages.ts';
import { type AudioFrame, encodeFrame } from '../../../src/protocol/frame.ts';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';

export type EventOf<Type extends ServerEvent['type']> = Extract<ServerEvent, { type: Type }>;

/** A client that does what a test tells it, and remembers everything. */
export type TestClient = {
  readonly events: ServerEvent[];
  readonly socket: WebSocket;
  send(message: ClientMessageInput): void;
  raw(data: string | Buffer): void;
  /** Frames of 20 ms with the given samples, or silence. */
  frame(seq: number, changes?: Partial<AudioFrame> & { samples?: Int16Array }): void;
  frames(first: number, last: number): void;
  /** Pings in one piece on the wire, and how many were answered so far. */
  pings(count: number): void;
  pongs(): number;
  of<Type extends ServerEvent['type']>(type: Type): EventOf<Type>[];
  /** The next event of this type, or the first that was there already, that `wanted` accepts. */
  until<Type extends ServerEvent['type']>(
    type: Type,
    wanted?: (event: EventOf<Type>) => boolean,
  ): Promise<EventOf<Type>>;
  closed: Promise<{ code: number; reason: string }>;
  /** The network goes away, without a word. */
  cut(): void;
};

export type ConnectOptions = {
  headers?: Record<string, string>;
  protocols?: string[];
  autoPong?: boolean;
  /** What carries it, where that is no TCP of its own; the URL is one of ws:// then. */
  over?: Duplex;
};

/** Opens a socket; rejects when the upgrade is refused. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<TestClient> {
  const { headers = {}, protocols = ['speechfb.v1'], autoPong = true, over } = options;
  const carried = over && { createConnection: () => over };
  const socket = new WebSocket(url, protocols, { headers, autoPong, rejectUnauthorized: false, ...carried });
  const events: ServerEvent[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    events.push(JSON.parse(String(data)));
    for (const look of waiting) look();
  });
  let pongs = 0;
  socket.on('pong', () => {
    pongs++;
  });
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: Number(code), reason: String(reason) }));
  // Of a refused upgrade `open` tells; nobody waits for the other then.
  closed.catch(() => {});
  socket.once('unexpected-response', async (_, response: IncomingMessage) => {
    const what = `Unexpected server response: ${response.statusCode} ${await text(response)}`;
    socket.emit('error', new Error(what));
  });
  await once(socket, 'open');
  socket.on('error', () => {});

  const client: TestClient = {
    events,
    socket,
    send: (message) => socket.send(JSON.stringify(message)),
    raw: (data) => socket.send(data),
    frame(seq, { samples = new Int16Array(320), ...changes } = {}) {
      const payload = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
      const plain = { codec: 'pcm_s16le', flags: 0, epoch: 0, seq, firstSample: seq * 320, payload } as const;
      socket.send(encodeFrame({ ...plain, ...changes }));
    },
    frames(first, last) {
      for (let seq = first; seq <= last; seq++) client.frame(seq);
    },
    pings(count) {
      for (let i = 0; i < count; i++) socket.ping();
    },
    pongs: () => pongs,
    of: (type) => events.filter((event): event is EventOf<typeof type> => event.type === type),
    until: (type, wanted = () => true) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = client.of(type).find(wanted);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void closed.then(({ code, reason }) => reject(new Error(`closed (${code} ${reason}) before a ${type}`)));
      }),
    closed,
    cut: () => socket.terminate(),
  };
  return client;
}

/** What an upgrade was answered that opens no WebSocket. */
export async function refusedUpgrade(
  url: string,
  { headers = {}, protocols = ['speechfb.v1'] }: ConnectOptions = {},
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }> {
  const socket = new WebSocket(url, protocols, { headers });
  socket.on('error', () => {});
  const response: IncomingMessage = (await once(socket, 'unexpected-response'))[1];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** The usual first message. */
export function startMessage(
  changes: Partial<Extract<ClientMessageInput, { type: 'start' }>> = {},
): Extract<ClientMessageInput, { type: 'start' }> {
  return {
    type: 'start',
    protocol: 'speechfb.v1',
    audio: { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 },
    reference: { text: 'ab ba' },
    ...changes,
  };
}

/** What a session said of each phone: its final records by utterance and index, in the order they came. */
export function finalPhones(events: readonly ServerEvent[]): string[] {
  return events.flatMap((event) =>
    event.type !== 'phoneme_feedback'
      ? []
      : event.phonemes
          .filter((phone) => phone.status === 'final')
          .map((phone) => `${event.utterance_id}.${phone.index} ${phone.phoneme} ${phone.accuracy}`),
  );
}
