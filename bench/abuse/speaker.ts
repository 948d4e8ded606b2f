import { WebSocket } from 'ws';
import { encodeFrame } from '../../src/protocol/frame.ts';
import type { Target } from './target.ts';

/** A session that is ready. */
export function session(target: Target, reference: object, onReady: (socket: WebSocket) => void): WebSocket {
  const socket = open(target);
  socket.on('open', () => say(target, socket, startOf(reference)));
  let isReady = false;
  socket.on('message', (data) => {
    if (isReady || !String(data).includes('"ready"')) return;
    isReady = true;
    onReady(socket);
  });
  return socket;
}

export function startOf(reference: object): object {
  const audio = { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 };
  return { type: 'start', protocol: 'speechfb.v1', audio, reference };
}

export function open({ url, token, seen }: Target): WebSocket {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, 'speechfb.v1', { headers, perMessageDeflate: false });
  const count = (answer: string) => seen.answers.set(answer, (seen.answers.get(answer) ?? 0) + 1);
  socket.on('message', (data: Buffer) => {
    seen.received += data.length;
    const text = data.length < 1_000_000 ? String(data) : '';
    if (text.includes('"type":"error"')) count(/"code":"(\w+)"/.exec(text)?.[1] ?? 'error');
    else if (text.includes('"type":"ready"')) count('ready');
  });
  socket.on('unexpected-response', (_, response) => {
    count(`HTTP ${response.statusCode}`);
    response.resume();
    socket.terminate();
  });
  socket.on('error', () => {});
  return socket;
}

/** Sound in `speed` times real time until the socket closes. */
export function speak(target: Target, socket: WebSocket, speed: number): void {
  let seq = 0;
  every(socket, 20 / speed, () => sendFrame(target, socket, seq++));
}

export function sendFrame(target: Target, socket: WebSocket, seq: number): void {
  raw(target, socket, encodeFrame(buzzingFrame(seq)));
}

/** 20 ms of a loud buzz: silence would be cheap for some servers. */
const buzz = new Uint8Array(Int16Array.from({ length: 320 }, (_, i) => ((i * 100) % 16_000) - 8000).buffer);

export function buzzingFrame(seq: number) {
  return { codec: 'pcm_s16le', flags: 0, epoch: 0, seq, firstSample: seq * 320, payload: buzz } as const;
}

export function say(target: Target, socket: WebSocket, message: object): void {
  raw(target, socket, JSON.stringify(message));
}

export function raw(target: Target, socket: WebSocket, data: Buffer | string): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  target.seen.sent += data.length;
  socket.send(data);
}

export function every(socket: WebSocket, ms: number, act: () => void): void {
  const timer = setInterval(act, ms);
  socket.once('close', () => clearInterval(timer));
}
