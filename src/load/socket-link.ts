import { rootCertificates } from 'node:tls';
import { WebSocket } from 'ws';
import type { Link, OpenLink } from './link.ts';
import type { TlsOptions } from './shard.ts';
import type { Clock } from './wheel.ts';

/** Where learners connect: a ws:// or wss:// URL, the bearer token if the server wants one. */
export type LinkTarget = { url: string; token: string | undefined; tls?: TlsOptions | undefined };

/** Links on the network that is there. */
export function socketLinks({ url, token, tls }: LinkTarget, clock: Clock): OpenLink {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const trust = {
    ...(tls?.ca && { ca: [...rootCertificates, tls.ca] }),
    ...(tls?.insecure && { rejectUnauthorized: false }),
  };
  const common = { perMessageDeflate: false, handshakeTimeout: 10_000, headers, ...trust } as const;
  return (events) => {
    const options = { ...common, autoPong: events.ping === undefined };
    const socket = new WebSocket(url, 'speechfb.v1', options);
    let failure = '';
    let terminated = false;
    socket.on('open', () => terminated || events.opened());
    socket.on('message', (data, binary) => {
      if (!terminated) events.message(binary ? undefined : String(data), clock(), undefined);
    });
    socket.on('ping', (data) => terminated || events.ping?.(data));
    socket.on('pong', () => terminated || events.pong(clock()));
    socket.on('error', (error) => {
      failure = error.message || ('code' in error ? String(error.code) : error.name);
    });
    socket.on('close', (code, reason) => terminated || events.closed(code, failure || String(reason)));
    const link: Link = {
      send(message) {
        if (socket.readyState === WebSocket.OPEN) socket.send(message);
      },
      ping() {
        if (socket.readyState === WebSocket.OPEN) socket.ping();
      },
      pong(data) {
        if (socket.readyState === WebSocket.OPEN) socket.pong(data);
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      terminate() {
        terminated = true;
        socket.terminate();
      },
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
    };
    return link;
  };
}
