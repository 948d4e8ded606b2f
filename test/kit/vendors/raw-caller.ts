import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

/** A caller without any SDK: it says what a test tells it, and remembers what it hears. */
export type RawCaller = {
  readonly socket: WebSocket;
  /** Texts as they came; bytes as `Buffer`. */
  readonly heard: (string | Buffer)[];
  /** The texts, parsed. */
  said(): Record<string, unknown>[];
  send(message: object | string): void;
  /** The next text, or one that was there, that has this in it. */
  until(part: string): Promise<string>;
  readonly closed: Promise<{ code: number; reason: string }>;
};

export async function callRaw(
  url: string,
  { headers = {}, protocols = [] }: { headers?: Record<string, string>; protocols?: string[] } = {},
): Promise<RawCaller> {
  const socket = new WebSocket(url, protocols, { headers, rejectUnauthorized: false });
  const heard: (string | Buffer)[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data: Buffer, isBinary) => {
    heard.push(isBinary ? data : String(data));
    for (const look of waiting) look();
  });
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: Number(code), reason: String(reason) }));
  closed.catch(() => {});
  await once(socket, 'open');
  socket.on('error', () => {});
  return {
    socket,
    heard,
    said: () => heard.filter((one) => typeof one === 'string').map((one) => JSON.parse(one)),
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    until: (part) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = heard.find((one) => typeof one === 'string' && one.includes(part));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(String(found));
        };
        waiting.add(look);
        look();
        void closed.then(({ code, reason }) => reject(new Error(`closed (${code} ${reason}) before ${part}`)));
      }),
    closed,
  };
}

/** What an upgrade was answered that opens no WebSocket. */
export async function refusedCall(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { headers, rejectUnauthorized: false });
  socket.on('error', () => {});
  const response: IncomingMessage = (await once(socket, 'unexpected-response'))[1];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
