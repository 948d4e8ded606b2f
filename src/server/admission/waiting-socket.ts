import type { Duplex } from 'node:stream';

/**
 * What a promise gives while the client of a request for a WebSocket waits for it; undefined: the
 * client did not, and `declined` got it. Node watches no socket that asked for an upgrade: one that
 * breaks meanwhile would end the process.
 */
export async function whileWaiting<Value>(
  socket: Duplex,
  promise: Promise<Value>,
  declined: (value: Value) => void = () => {},
): Promise<Value | undefined> {
  const onError = (): void => void socket.destroy();
  socket.on('error', onError);
  const value = await promise.finally(() => socket.off('error', onError));
  if (socket.readable && socket.writable) return value;
  declined(value);
  socket.destroy();
  return undefined;
}
