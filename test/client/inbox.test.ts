import { describe, expect, it } from 'vitest';
import { Inbox } from '../../src/client/inbox.ts';

const ack = (id: number) => `{"event_id":${id},"audio_ms":20,"type":"ack"}`;
const final = (id: number) => `{"event_id":${id},"audio_ms":20,"type":"utterance_final"}`;
const ofLength = (bytes: number) => ack(2).replace('}', `,"x":"${'x'.repeat(bytes)}"}`);
const [middling, long] = [ofLength(4020), ofLength(5000)];

describe('the inbox', () => {
  it('reads sixteen that can wait at once, in order, with what was known when each came', () => {
    const inbox = new Watched();
    for (let i = 0; i < 16; i++) inbox.add(ack(i), 1000 + i, i === 3 ? 7.5 : undefined);
    expect(inbox.read).toEqual([]);
    inbox.add(ack(16), 1016);
    expect(inbox.read.map(({ text }) => text)).toEqual(Array.from({ length: 16 }, (_, i) => ack(i)));
    expect(inbox.read[3]).toEqual({ text: ack(3), receivedMs: 1003, downlinkMs: 7.5, framesSent: 2006 });
    expect(inbox.read[4]).toEqual({ text: ack(4), receivedMs: 1004, downlinkMs: undefined, framesSent: 2008 });
  });

  it.each([
    ['one that cannot wait comes', (inbox: Watched) => inbox.add(final(9), 1001), [ack(1), final(9)]],
    ['another comes half a second later', (inbox: Watched) => inbox.add(ack(2), 1500), [ack(1)]],
    ['half a second has passed', (inbox: Watched) => inbox.inbox.tick(1500), [ack(1)]],
    ['somebody must know', (inbox: Watched) => inbox.inbox.readAll(), [ack(1)]],
    ['one comes that is too long to wait', (inbox: Watched) => inbox.add(long, 1001), [ack(1), long]],
    ['there is no room for the next', (inbox: Watched) => inbox.add(middling, 1001), [ack(1)]],
  ])('reads what waits when %s', (_, happens, read) => {
    const inbox = new Watched();
    inbox.add(ack(1), 1000);
    inbox.inbox.tick(1100);
    expect(inbox.read).toEqual([]);
    happens(inbox);
    expect(inbox.read.map(({ text }) => text)).toEqual(read);
    inbox.inbox.readAll();
    const count = inbox.read.length;
    inbox.inbox.readAll();
    expect(inbox.read).toHaveLength(count);
  });

  it.each([
    ['one that can wait', [ack(8)], [ack(1), ack(2), ack(3), ack(8)]],
    ['one that cannot', [final(8)], [ack(1), ack(2), ack(3), final(8)]],
    ['more than there is room for', [middling, ack(9)], [ack(1), ack(2), ack(3), middling, ack(9)]],
  ])('loses nothing and keeps the order when reading one leads to another: %s', (_, others, read) => {
    const inbox = new Watched(
      (text) => text === ack(1) && others.forEach((other, i) => void inbox.add(other, 1010 + i)),
    );
    for (const id of [1, 2, 3]) inbox.add(ack(id), 1000 + id);
    inbox.inbox.readAll();
    inbox.inbox.readAll();
    expect(inbox.read.map(({ text }) => text)).toEqual(read);
  });
});

/** Twice the time are the frames that were sent by then. */
class Watched {
  readonly read: { text: string; receivedMs: number; downlinkMs: number | undefined; framesSent: number }[] = [];
  readonly inbox = new Inbox((bytes, begin, end, receivedMs, downlinkMs, framesSent) => {
    const text = bytes.toString('utf8', begin, end);
    this.read.push({ text, receivedMs, downlinkMs, framesSent });
    this.#onRead(text);
  });
  readonly #onRead: (text: string) => void;

  constructor(onRead: (text: string) => void = () => {}) {
    this.#onRead = onRead;
  }

  /** As from a buffer that is used again at once. */
  add(text: string, receivedMs: number, downlinkMs?: number): void {
    const bytes = Buffer.from(`<${text}>`);
    this.inbox.add(bytes, 1, bytes.length - 1, receivedMs, downlinkMs, 2 * receivedMs);
    bytes.fill(0);
  }
}
