import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lobby, type LobbyOptions } from '../../../src/server/admission/lobby.ts';
import { defaultLimits } from '../../../src/server/limits.ts';

describe('the lobby', () => {
  it('lets the connection go that has waited longest when there are too many', () => {
    const { lobby, enter, gone } = open({ maxPendingConnections: 2 });
    for (const port of [1, 2, 3, 4]) enter('203.0.113.1', port);
    expect(gone).toEqual([1, 2]);
    expect(lobby.size).toBe(2);
  });

  it('lets those of an address go for others of the same address, and for nobody else', () => {
    const { enter, gone } = open({ maxPendingPerAddress: 2 });
    enter('203.0.113.9', 9);
    for (const port of [1, 2, 3]) enter('203.0.113.1', port);
    for (const port of [5, 6, 7]) enter(`2001:db8::${port}`, port);
    expect(gone).toEqual([1, 5]);
  });

  it('takes so many connections a second of an address, and cuts the rest before a handshake', () => {
    const { lobby, enter, gone, clock } = open({ handshakesPerSecond: 2, handshakeBurst: 3 });
    for (const port of [1, 2, 3, 4, 5]) lobby.leave(enter('203.0.113.1', port));
    enter('203.0.113.2', 6);
    expect([gone, clock.tooMany]).toEqual([[4, 5], 2]);
    clock.nowMs = 500;
    enter('203.0.113.1', 7);
    expect(gone).toEqual([4, 5]);
  });

  it.each([
    ['loopback, where a proxy may call for everybody', '127.0.0.1', false],
    ['loopback in IPv6', '::1', false],
    ['any address behind a proxy', '203.0.113.1', true],
  ])('does not count by address on %s', (_, address, behindProxy) => {
    const { enter, gone } = open({ maxPendingPerAddress: 1 }, behindProxy);
    for (const port of [1, 2, 3]) enter(address, port);
    expect(gone).toEqual([]);
  });

  it('has no more to do with what has become a WebSocket', () => {
    const { lobby, enter, gone } = open({ maxPendingConnections: 1 });
    lobby.leave(enter('203.0.113.1', 1));
    enter('203.0.113.1', 2);
    expect(gone).toEqual([]);
    expect(lobby.size).toBe(1);
  });

  it('never holds more than it may, and forgets what is closed', () => {
    const act = fc.record({ host: fc.integer({ min: 1, max: 5 }), close: fc.boolean() });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
        const { lobby, enter } = open({ maxPendingConnections: 10, maxPendingPerAddress: 3 });
        const sockets = acts.map(({ host, close }, port) => {
          const socket = enter(`203.0.113.${host}`, port);
          if (close) socket.destroy();
          expect(lobby.size).toBeLessThanOrEqual(10);
          return socket;
        });
        for (const socket of sockets) socket.destroy();
        expect(lobby.size).toBe(0);
      }),
    );
  });
});

function open(limits: Partial<LobbyOptions['limits']>, behindProxy = false) {
  const clock = { nowMs: 0, tooMany: 0 };
  const gone: (number | undefined)[] = [];
  let evicted = 0;
  const lobby = new Lobby({
    limits: { ...defaultLimits, maxPendingConnections: 100, maxPendingPerAddress: 100, ...limits },
    behindProxy,
    now: () => clock.nowMs,
    onRefused: ({ reason }) => {
      if (reason === 'pending') evicted += 1;
      else clock.tooMany += 1;
    },
  });
  const enter = (remoteAddress: string, remotePort: number): Socket => {
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress,
      remotePort,
      destroy: () => {
        if (evicted < gone.push(remotePort)) socket.emit('close');
      },
    }) as unknown as Socket;
    lobby.enter(socket);
    return socket;
  };
  return { lobby, enter, gone, clock };
}
