import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { phoneAt } from './fake-server.ts';
import { raw } from './websocket.ts';

/**
 * What a server does at each step of a session; a step that is left out is done as a good server does it. So each script
 * is wrong in one thing.
 */
export type Script = {
  /** A TCP connection is there. True: nothing else happens on it. */
  connected?(peer: Peer): boolean;
  /** Instead of the answer to the upgrade. */
  upgrade?(peer: Peer): void;
  start?(peer: Peer): void;
  /** Each audio frame, counted from 1. */
  frame?(peer: Peer, count: number): void;
  finalize?(peer: Peer): void;
  ping?(peer: Peer): void;
  close?(peer: Peer): void;
};

/** One connection, as the server has it. */
export class Peer {
  readonly socket: Socket;
  /** Close codes that the client sent. */
  readonly closeCodes: number[] = [];
  accept = '';
  #eventId = 0;
  #audioMs = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  bytes(bytes: Buffer | string): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** The same bytes again and again, as fast as they are read. */
  flood(block: Buffer): void {
    const pump = () => {
      while (this.socket.writable && this.socket.write(block)) {}
    };
    this.socket.on('drain', pump);
    pump();
  }

  upgrade(more = '', accept = this.accept): void {
    const lines = [
      'HTTP/1.1 101 Hello',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Protocol: speechfb.v1',
    ];
    this.bytes(`${lines.join('\r\n')}\r\nSec-WebSocket-Accept: ${accept}${more}\r\n\r\n`);
  }

  text(text: string): void {
    this.bytes(raw(0x81, Buffer.from(text)));
  }

  /** An event with its number and its place in the sound, unless it brings its own. */
  event(fields: Record<string, unknown>): void {
    this.text(this.eventText(fields));
  }

  eventText(fields: Record<string, unknown>): string {
    return JSON.stringify({ event_id: ++this.#eventId, audio_ms: this.#audioMs, ...fields });
  }

  ready(fields: Record<string, unknown> = {}): void {
    this.event({ ...readyFields, ...fields });
  }

  ack(nextSeq: number): void {
    this.event({ type: 'ack', epoch: 0, next_seq: nextSeq, missing: [], buffered_ms: 0 });
  }

  feedback(fields: Record<string, unknown> = {}): void {
    this.#audioMs += 20;
    this.event({ ...feedbackFields(this.#audioMs), ...fields });
  }

  final(fields: Record<string, unknown> = {}): void {
    this.event({ ...finalFields, ...fields });
  }
}

/** A TCP server on loopback that plays the script to every connection. */
export async function startHostileServer(script: Script) {
  const peers: Peer[] = [];
  const server = createServer((socket) => {
    const peer = new Peer(socket);
    peers.push(peer);
    socket.on('error', () => {});
    if (script.connected?.(peer)) socket.resume();
    else serve(peer, script);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`,
    peers,
    async close() {
      for (const { socket } of peers) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(peer: Peer, script: Script): void {
  let head = '';
  const onHead = (chunk: Buffer) => {
    head += chunk.toString('latin1');
    const key = /sec-websocket-key: ([^\r]*)\r\n.*\r\n\r\n/is.exec(head)?.[1];
    if (key === undefined) return;
    peer.accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    peer.socket.off('data', onHead);
    listen(peer, script);
    if (script.upgrade) script.upgrade(peer);
    else peer.upgrade();
  };
  peer.socket.on('data', onHead);
}

/** Part of the ws library that its types leave out. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

function listen(peer: Peer, script: Script): void {
  const receiver = new Receiver({ isServer: true });
  let frames = 0;
  receiver.on('error', () => {});
  receiver.on('ping', () => (script.ping ? script.ping(peer) : peer.bytes(raw(0x8a, ''))));
  receiver.on('conclude', (code: number) => {
    peer.closeCodes.push(code);
    peer.socket.end();
  });
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) {
      frames += 1;
      if (script.frame) script.frame(peer, frames);
      else {
        peer.feedback();
        if (frames % 10 === 0) peer.ack(frames);
      }
      return;
    }
    const { type } = JSON.parse(String(data));
    if (type === 'start' || type === 'resume')
      script.start ? script.start(peer) : peer.ready({ resumed: type === 'resume' });
    if (type === 'finalize') script.finalize ? script.finalize(peer) : peer.final();
    if (type === 'close') script.close ? script.close(peer) : peer.bytes(raw(0x88, '\x03\xe8'));
  });
  peer.socket.on('data', (chunk) => receiver.write(chunk));
}

export const readyFields = {
  type: 'ready',
  session_id: 's1',
  resume_token: 'secret',
  resume_ttl_ms: 5000,
  next_seq: 0,
  epoch: 0,
  utterance_id: 1,
  resumed: false,
  limits: { max_frame_bytes: 65_536, max_session_ms: 3_600_000, idle_timeout_ms: 60_000, max_buffered_ms: 15_000 },
  model: { name: 'fake', version: '1', provider: 'none', lookahead_ms: 0, phones: ['AH'] },
  reference: { words: [{ text: 'a', phones: ['AH'], source: 'dictionary' }] },
};

export function feedbackFields(audioMs: number) {
  const timing = { ingress: 0.01, queue: 0.02, features: 0.01, asr: 0.03, scoring: 0.01, emit: 0.01 };
  return { type: 'phoneme_feedback', utterance_id: 1, rev: 1, phonemes: [phoneAt(0, audioMs + 100)], timing };
}

export const finalFields = {
  type: 'utterance_final',
  utterance_id: 1,
  reason: 'finalize',
  marker: 'end',
  timing: {},
  heard: 'text',
  scores: { accuracy: 90, fluency: 90, completeness: 100, pronunciation: 90 },
  words: [
    {
      text: 'a',
      start_ms: 0,
      end_ms: 100,
      accuracy: 90,
      error_type: 'none',
      pronunciation: { source: 'given', variant: 0 },
      phonemes: [phoneAt(0, 100)],
    },
  ],
  deviations: [],
  pace: { words_per_minute: 100, speech_ms: 1000, pause_ms: 0, longest_pause_ms: 0, pauses: 0 },
  final_lag_ms: { p50: 0, p95: 0, max: 0 },
};
