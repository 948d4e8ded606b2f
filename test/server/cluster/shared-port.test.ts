import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Gates } from '../../../src/server/cluster/gates.ts';
import { SharedPort } from '../../../src/server/cluster/shared-port.ts';
import { copyDescriptor } from '../../../src/server/gateway/http/descriptors.ts';

describe('a port that is left to others and taken back', () => {
  it('loses nobody who comes meanwhile, and lets in as many by each as it is told', async () => {
    const { port, gates, taken, ring } = await openPort(3);
    ring(5);
    await expect.poll(() => taken.here).toBe(5);
    port.pause();
    expect(port.isOpen).toBe(false);
    ring(12);
    gates.admit(7);
    await expect.poll(() => taken.byGates).toBe(7);
    expect(gates.state).toEqual({ gates: 0, left: 0 });
    expect(gates.taken).toBe(7);
    port.resume();
    await expect.poll(() => taken).toEqual({ here: 10, byGates: 7 });
  });

  it('takes nobody by gates that are shut again, nor by those that come later', async () => {
    const { port, gates, taken, ring, addGate } = await openPort(2);
    port.pause();
    gates.admit(9);
    gates.admit(0);
    expect(gates.state).toEqual({ gates: 0, left: 0 });
    await addGate();
    ring(3);
    port.resume();
    await expect.poll(() => taken).toEqual({ here: 3, byGates: 0 });
    port.pause();
    gates.admit(2);
    ring(2);
    await expect.poll(() => taken).toEqual({ here: 3, byGates: 2 });
  });

  it('is gone once it and all gates are closed', async () => {
    const { port, gates, number } = await openPort(2);
    port.pause();
    port.close();
    port.release();
    gates.close();
    port.resume();
    const refusal = (): Promise<unknown> =>
      new Promise((resolve) =>
        connect(number, '127.0.0.1').once('error', ({ code }: NodeJS.ErrnoException) => resolve(code)),
      );
    // The process that copied them has to end, too.
    await expect.poll(refusal, { timeout: 30_000 }).toBe('ECONNREFUSED');
  });
});

async function openPort(count: number) {
  const taken = { here: 0, byGates: 0 };
  const sockets: Socket[] = [];
  const port = new SharedPort((socket) => {
    taken.here += 1;
    sockets.push(socket);
  });
  const gates = new Gates((socket) => {
    taken.byGates += 1;
    sockets.push(socket);
  });
  const number = await port.listen({ host: '127.0.0.1', port: 0 });
  const callers: Socket[] = [];
  onTestFinished(() => {
    for (const socket of [...callers, ...sockets]) socket.destroy();
    port.close();
    port.release();
    gates.close();
  });
  port.prepare();
  await expect.poll(() => port.canPause, { timeout: 30_000 }).toBe(true);
  const addGate = async (more = 1): Promise<void> => {
    const wanted = gates.state.gates + more;
    copyDescriptor(port.descriptor!, more, (copy) => gates.add(copy));
    await expect.poll(() => gates.state.gates, { timeout: 30_000 }).toBe(wanted);
  };
  await addGate(count);
  const ring = (many: number): void => {
    for (let left = many; left > 0; left--) callers.push(connect(number, '127.0.0.1').on('error', () => {}));
  };
  return { port, gates, taken, number, ring, addGate };
}
