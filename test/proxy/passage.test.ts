import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Passage } from '../../src/proxy/passage.ts';
import { DeviceNetwork } from '../../src/sim/network.ts';
import { symmetric } from '../kit/profiles.ts';

describe('a passage between two sockets reads no more', () => {
  it('when single bytes wait in the network', () => {
    const { client, upstream } = joined(1);
    const read = client.says(1, 100_000);
    expect(read).toBeLessThan(2100);
    expect(upstream.written).toHaveLength(0);
  });

  it.each([
    ['single bytes', 1, 2200],
    ['segments', 1448, 400],
  ])('when %s wait for a reader that stops, and goes on when it reads', (_, bytes, most) => {
    const { client, upstream, passage, clock } = joined(1);
    for (let round = 0; round < 100; round++) {
      client.says(bytes, 1000);
      clock.us += 10_000;
      passage.run();
    }
    const held = upstream.written.length;
    expect(held).toBeLessThan(most);
    expect(client.paused).toBe(true);
    upstream.takes();
    expect(client.paused).toBe(false);
    expect(client.says(bytes, 10)).toBe(10);
  });
});

/** As much of a socket as a passage touches; what is written to it waits until it `takes` it. */
class FakeSocket extends EventEmitter {
  paused = false;
  writable = true;
  readonly written: { bytes: Buffer; taken: () => void }[] = [];

  get writableLength(): number {
    return this.written.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  setNoDelay(): void {}

  isPaused(): boolean {
    return this.paused;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  write(bytes: Buffer, taken: () => void): void {
    this.written.push({ bytes, taken });
  }

  takes(): void {
    const all = this.written.splice(0);
    for (const { taken } of all) taken();
    this.emit('drain');
  }

  /** Sends so many pieces, unless it is paused before; how many it sent. */
  says(bytes: number, times: number): number {
    let sent = 0;
    for (; sent < times && !this.paused; sent++) this.emit('data', Buffer.alloc(bytes));
    return sent;
  }
}

function joined(delayMs: number) {
  const [client, upstream] = [new FakeSocket(), new FakeSocket()];
  const clock = { us: 0 };
  const connection = new DeviceNetwork(symmetric(delayMs), { seed: 1, client: 0 }).connect(0, { bare: true });
  const nothing = () => {};
  const events = { delivered: nothing, silenced: nothing, reset: nothing, over: nothing, changed: nothing };
  const sockets = [client, upstream] as unknown as [Socket, Socket];
  return { client, upstream, clock, passage: new Passage(...sockets, connection, () => clock.us, events) };
}
