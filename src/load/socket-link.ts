import type { Link, OpenLink } from './link.ts';
import type { TlsOptions } from './shard.ts';
import type { Clock } from './wheel.ts';
import { WsConnection } from './ws-connection.ts';

/** Where learners connect: a ws:// or wss:// URL, the bearer token if the server wants one. */
export type LinkTarget = { url: string; token: string | undefined; tls?: TlsOptions | undefined };

/** Links on the network that is there. */
export function socketLinks(target: LinkTarget, clock: Clock): OpenLink {
  return (events) => {
    const socket: WsConnection = new WsConnection(target, {
      opened: events.opened,
      text: (text) => events.message(text, clock(), undefined),
      binary: () => events.message(undefined, clock(), undefined),
      ping: events.ping ?? ((data) => socket.pong(data)),
      pong: () => events.pong(clock()),
      closed: events.closed,
    });
    const link: Link = {
      send(message) {
        if (typeof message === 'string') socket.sendText(message);
        else socket.sendAudio(message);
      },
      ping: () => socket.ping(),
      pong: (data) => socket.pong(data),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      terminate: () => socket.terminate(),
      get bufferedBytes() {
        return socket.bufferedBytes;
      },
    };
    return link;
  };
}
