import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Address } from './address.ts';
import type { Outlet } from './datagram-passage.ts';

/** Datagrams that may wait until the socket is connected; it takes two turns of the event loop. */
const mostBeforeOpen = 1000;

/**
 * A UDP socket of its own, connected to the upstream, so that it hears nobody else and is told when
 * nothing listens there. `host` is an address, not a name.
 */
export function openOutlet(
  { host, port }: Address,
  heard: (bytes: Buffer) => void,
  unreachable: (reason: string) => void,
): Outlet {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  let state: 'opens' | 'open' | 'closed' = 'opens';
  const early: Parameters<Outlet['send']>[] = [];
  const fail = ({ code, message }: NodeJS.ErrnoException) => {
    unreachable(code ?? message);
    for (const [, done] of early.splice(0)) done(false);
  };
  socket.on('message', heard);
  socket.on('error', fail);
  socket.once('connect', () => {
    state = 'open';
    for (const [bytes, done] of early.splice(0)) send(bytes, done);
  });
  socket.connect(port, host);
  const send: Outlet['send'] = (bytes, done) => {
    if (state === 'open')
      socket.send(bytes, (error) => {
        // A send is told of what became of the one before it.
        if (error) unreachable((error as NodeJS.ErrnoException).code ?? error.message);
        done(error === null);
      });
    else if (state === 'opens' && early.length < mostBeforeOpen) early.push([bytes, done]);
    else done(false);
  };
  return {
    send,
    close() {
      if (state === 'closed') return;
      state = 'closed';
      for (const [, done] of early.splice(0)) done(false);
      socket.close();
    },
  };
}
