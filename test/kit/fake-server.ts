import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ClientMessage } from '../../src/protocol/client-messages.ts';
import { type AudioFrame, decodeFrame } from '../../src/protocol/frame.ts';
import type { PhonemeResult, UtteranceResult } from '../../src/protocol/result.ts';

/** How the fake differs from a good server; each value is how often or when, over all sessions of it. */
export type FakeOptions = {
  /** Refuse every start with this error. */
  refuse?: 'server_busy';
  /** Refuse so many starts, and let them be asked again soon. */
  busyTimes?: number;
  /** Cut the socket, without a word, when this frame of a session first arrives. */
  cutAtSeq?: number;
  /** Cut the socket when this control message first arrives, before or after acting on it. */
  cutOn?: { type: 'finalize' | 'next_utterance'; acted: boolean };
  /** Never answer audio. */
  mute?: boolean;
  /** Send each utterance_final twice. */
  doubleFinal?: boolean;
  /** Stop acknowledging after this frame. */
  ackUpTo?: number;
  /** Close for good when this frame arrives. */
  dieAtSeq?: number;
};

/** A server that speaks speechfb.v1 with canned scores: one final phone a feedback event. */
export async function startFakeServer(options: FakeOptions = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const sessions = new Map<string, FakeSession>();
  server.on('connection', (socket) => {
    let session: FakeSession | undefined;
    socket.on('message', (data: Buffer, binary) => {
      // Messages of one packet still come after a cut; a lost network would have lost them.
      if (socket.readyState !== socket.OPEN) return;
      if (binary) {
        session?.frame(data);
        return;
      }
      const message: ClientMessage = JSON.parse(String(data));
      if (message.type === 'start') {
        session = new FakeSession(`s${sessions.size}`, options);
        sessions.set(session.id, session);
      }
      if (message.type === 'resume') session = sessions.get(message.session_id);
      session?.control(message, socket);
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/v1/stream`,
    sessions,
    async close() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

export class FakeSession {
  readonly id: string;
  /** seqs in order of arrival, and text of control messages. */
  readonly received: (number | string)[] = [];
  /** Headers of frames, in order of arrival. */
  readonly frames: Omit<AudioFrame, 'payload'>[] = [];
  readonly #options: FakeOptions;
  #socket: WebSocket | undefined;
  #log: ({ event_id: number } & Message)[] = [];
  #eventId = 0;
  #nextSeq = 0;
  #audioMs = 0;
  #emittedMs = 0;
  #utterance = 1;
  #open = true;
  #phones: PhonemeResult[] = [];
  #wasCut = false;

  constructor(id: string, options: FakeOptions) {
    this.id = id;
    this.#options = options;
  }

  control(message: ClientMessage, socket: WebSocket): void {
    this.#socket = socket;
    const cut = this.#options.cutOn;
    if (cut?.type === message.type && !this.#wasCut) {
      this.#wasCut = true;
      if (cut.acted) this.#act(message, socket);
      socket.terminate();
    } else {
      this.#act(message, socket);
    }
  }

  #act(message: ClientMessage, socket: WebSocket): void {
    if (message.type !== 'resume') this.received.push(message.type);
    switch (message.type) {
      case 'start':
        this.#start(socket);
        break;
      case 'resume':
        this.#write({ event_id: message.last_event_id, ...this.#ready(true) });
        for (const event of this.#log.filter(({ event_id }) => event_id > message.last_event_id)) this.#write(event);
        break;
      case 'finalize':
        this.#finalize(message.marker ?? null);
        break;
      case 'next_utterance':
        this.#finalize(null);
        this.#utterance += 1;
        this.#open = true;
        this.#phones = [];
        break;
      case 'close':
        socket.close(1000, 'bye');
        break;
    }
  }

  #start(socket: WebSocket): void {
    if (this.#options.busyTimes) {
      this.#options.busyTimes -= 1;
      this.#send({ type: 'error', code: 'server_busy', message: 'warming up', retryable: true, retry_after_ms: 50 });
      socket.close(4503, 'warming up');
    } else if (this.#options.refuse) {
      this.#send({ type: 'error', code: 'server_busy', message: 'no room', retryable: true, retry_after_ms: 5000 });
      socket.close(4503, 'no room');
    } else {
      this.#send(this.#ready(false));
    }
  }

  frame(data: Buffer): void {
    const decoded = decodeFrame(data);
    if (!decoded.ok) throw new Error(decoded.message);
    const { payload, ...header } = decoded.frame;
    const { seq } = header;
    if (seq === this.#options.dieAtSeq) {
      this.#socket?.close(4504, 'gone');
      return;
    }
    if (seq === this.#options.cutAtSeq && !this.#wasCut) {
      this.#wasCut = true;
      this.#socket?.terminate();
      return;
    }
    this.received.push(seq);
    this.frames.push(header);
    if (seq !== this.#nextSeq) return;
    this.#nextSeq += 1;
    this.#audioMs += payload.length / 32;
    if (this.#nextSeq % 10 === 0) this.#ack();
    for (; this.#emittedMs + 100 <= this.#audioMs && !this.#options.mute; this.#emittedMs += 100) this.#feedback();
  }

  #feedback(): void {
    const phone = phoneAt(this.#phones.length, this.#audioMs);
    this.#phones.push(phone);
    const timing = { ingress: 0.01, queue: 0.02, features: 0.01, asr: 0.03, scoring: 0.01, emit: 0.01 };
    this.#send({ type: 'phoneme_feedback', utterance_id: this.#utterance, rev: 1, phonemes: [phone], timing });
  }

  #finalize(marker: string | null): void {
    this.#ack();
    if (!this.#open || this.#options.mute) return;
    this.#open = false;
    const final = { type: 'utterance_final', utterance_id: this.#utterance, reason: 'finalize', marker, timing: {} };
    const repeats = this.#options.doubleFinal ? 2 : 1;
    for (let i = 0; i < repeats; i++) this.#send({ ...final, ...result(this.#phones) });
  }

  #ack(): void {
    const next_seq = Math.min(this.#nextSeq, this.#options.ackUpTo ?? Number.POSITIVE_INFINITY);
    this.#send({ type: 'ack', epoch: 0, next_seq, missing: [], buffered_ms: 0 });
  }

  #ready(resumed: boolean) {
    return {
      type: 'ready',
      session_id: this.id,
      resume_token: 'secret',
      resume_ttl_ms: 5000,
      next_seq: this.#nextSeq,
      epoch: 0,
      utterance_id: this.#utterance,
      resumed,
      limits: { max_frame_bytes: 65_536, max_session_ms: 3_600_000, idle_timeout_ms: 60_000, max_buffered_ms: 15_000 },
      model: { name: 'fake', version: '1', provider: 'none', lookahead_ms: 0, phones: ['AH'] },
      reference: { words: [] },
    };
  }

  #send(message: Message): void {
    this.#eventId += 1;
    const event = { event_id: this.#eventId, ...message };
    if (event.type === 'phoneme_feedback' || event.type === 'utterance_final') this.#log.push(event);
    this.#write(event);
  }

  #write(event: { event_id: number } & Message): void {
    this.#socket?.send(JSON.stringify({ audio_ms: this.#audioMs, ...event }));
  }
}

type Message = { type: string; [key: string]: unknown };

/** A final phone of the 100 ms that end at `endMs`. */
export function phoneAt(index: number, endMs: number): PhonemeResult {
  return {
    index,
    word_index: 0,
    phoneme: 'AH',
    start_ms: endMs - 100,
    end_ms: endMs,
    gop: -0.1,
    accuracy: 90,
    confidence: 0.9,
    error_type: 'none',
    status: 'final',
    nbest: [],
  };
}

function result(phonemes: readonly PhonemeResult[]): UtteranceResult {
  const pronunciation = { source: 'given', variant: 0 } as const;
  const word = {
    text: 'a',
    start_ms: 0,
    end_ms: 100,
    accuracy: 90,
    error_type: 'none',
    pronunciation,
    phonemes,
  } as const;
  return {
    heard: 'text',
    scores: { accuracy: 90, fluency: 90, completeness: 100, pronunciation: 90 },
    words: [word],
    deviations: [],
    pace: { words_per_minute: 100, speech_ms: 1000, pause_ms: 0, longest_pause_ms: 0, pauses: 0 },
    final_lag_ms: { p50: 0, p95: 0, max: 0 },
  };
}
