import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { LinkEvents } from '../../../src/client/link/link.ts';
import { socketLinks } from '../../../src/client/link/websocket-connection.ts';

it('a frame over TLS waits for no acknowledgement of TCP either', () => {
  const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
  onTestFinished(() => setNoDelay.mockRestore());
  const link = socketLinks({ url: 'wss://127.0.0.1:9' }, () => 0)({ closed() {} } as unknown as LinkEvents);
  onTestFinished(() => link.terminate());
  expect(setNoDelay.mock.calls).toEqual([[true]]);
  expect(setNoDelay.mock.contexts[0]).toBeInstanceOf(TLSSocket);
});
