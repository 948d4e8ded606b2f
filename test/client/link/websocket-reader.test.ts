import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { mostFragments, mostMessageBytes } from '../../../src/client/link/websocket-assembly.ts';
import type { WsReader } from '../../../src/client/link/websocket-reader.ts';
import { listen, raw } from '../../kit/websocket.ts';

afterEach(() => vi.restoreAllMocks());

describe('a reader hears the same however the bytes are cut', () => {
  const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const text = fc.string({ unit: 'grapheme', maxLength: 200 }).map((value) => Buffer.from(value));
  const first = fc.constantFrom(0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88, 0x09, 0x83, 0x8b, 0xc1);
  const close = fc.tuple(fc.integer({ min: 0, max: 0xffff }), text).map(([code, reason]) => {
    return Buffer.concat([Buffer.from([code >> 8, code & 255]), reason.subarray(0, 123)]);
  });
  const frame = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(fc.constantFrom(0x81, 0x82, 0x89, 0x8a), text).map(([at, data]) => frameOf(at, data)),
    },
    { weight: 10, arbitrary: fc.array(text, { maxLength: 5 }).map(fragments) },
    { weight: 1, arbitrary: fc.tuple(first, payload).map(([at, data]) => raw(at, data)) },
    { weight: 1, arbitrary: close.map((data) => raw(0x88, data)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
  );
  const wires = fc.array(frame, { maxLength: 40, size: 'max' }).map((frames) => Buffer.concat(frames));
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 });

  it('at any places, whatever they are', () => {
    let longest = 0;
    fc.assert(
      fc.property(wires, cuts, (wire, places) => {
        const whole = heardOf(wire, [wire.length + 1]);
        longest = Math.max(longest, whole.length);
        expect(heardOf(wire, places)).toEqual(whole);
        expect(heardOf(wire, [1])).toEqual(whole);
      }),
      { numRuns: 400 },
    );
    expect(longest).toBeGreaterThan(20);
  });

  it('in turns of some frames each, the rest in its place', () => {
    const wire = Buffer.concat(Array.from({ length: 1000 }, (_, i) => raw(0x81, String(i))));
    const heard: string[] = [];
    const reader = listen({ text: (given) => heard.push(given) });
    reader.read(wire);
    const turns = [heard.length];
    while (reader.behind) {
      reader.readOn();
      turns.push(heard.length);
    }
    expect(heard).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
    expect(Math.max(...turns.map((count, i) => count - (turns[i - 1] ?? 0)))).toBe(64);
  });

  it('while more comes before the rest was read', () => {
    const heard: string[] = [];
    const reader = listen({ text: (given) => heard.push(given) });
    for (let i = 0; i < 10; i++)
      reader.read(Buffer.concat(Array.from({ length: 100 }, (_, j) => raw(0x81, `${i} ${j}`))));
    while (reader.behind) reader.readOn();
    expect(heard).toHaveLength(1000);
    expect(heard.at(-1)).toBe('9 99');
  });
});

describe('a reader does linear work', () => {
  it.each<[string, (size: number) => Buffer, number]>([
    ['a long text, one byte at a time', (size) => raw(0x81, 'x'.repeat(size)), 1],
    ['a long text, two bytes at a time', (size) => raw(0x81, 'x'.repeat(size)), 2],
    ['a long text in the chunks of a socket', (size) => raw(0x81, 'x'.repeat(16 * size)), 65_536],
    [
      'fragments of 100 bytes',
      (size) => fragments(Array.from({ length: size / 100 }, () => Buffer.alloc(100, 'x'))),
      65_536,
    ],
    [
      'fragments of 100 bytes, one byte at a time',
      (size) => fragments(Array.from({ length: size / 100 }, () => Buffer.alloc(100, 'x'))),
      1,
    ],
    ['nothing but empty pings', (size) => Buffer.alloc(size, Buffer.from([0x89, 0])), 65_536],
    ['short texts', (size) => Buffer.alloc(size, raw(0x81, 'abc')), 65_536],
    ['pings between fragments', (size) => Buffer.concat([raw(0x01, 'a'), Buffer.alloc(size, raw(0x89, 'ping'))]), 3],
  ])('for %s', (_, wireOf, cut) => {
    const [once, twice] = [100_000, 200_000].map((size) => stepsFor(wireOf(size), cut));
    expect(twice! / once!).toBeLessThan(2.7);
    expect(once! / wireOf(100_000).length).toBeLessThan(16);
  });

  it('keeps what came of a message, not what was announced', () => {
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
    const head = Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0x70, 0, 0]);
    const reader = listen({});
    reader.read(Buffer.concat([head, Buffer.from('only this')]));
    expect(allocated.mock.calls.map(([bytes]) => bytes)).toEqual([1024]);
  });
});

describe('a reader ends with a sentence', () => {
  const emptyFragments = Buffer.concat([raw(0x01, ''), Buffer.alloc(2 * mostFragments)]);
  it.each([
    ['empty fragments without end', emptyFragments, 1009, `a message of more than ${mostFragments} fragments`],
    [
      'empty fragments without end, pings between them',
      Buffer.concat([raw(0x01, ''), Buffer.alloc(6 * mostFragments, Buffer.from([0x89, 0, 0, 0]))]),
      1009,
      `a message of more than ${mostFragments} fragments`,
    ],
    [
      'a first fragment of a binary message and no end',
      Buffer.concat([raw(0x02, ''), Buffer.alloc(2 * mostFragments)]),
      1009,
      'fragments',
    ],
    [
      'a message that grows beyond the bound',
      Buffer.concat([raw(0x01, Buffer.alloc(mostMessageBytes, 'a')), raw(0x00, 'b')]),
      1009,
      `a message of more than ${mostMessageBytes} bytes`,
    ],
    [
      'a binary message that does',
      Buffer.concat([raw(0x02, Buffer.alloc(mostMessageBytes)), raw(0x00, 'b')]),
      1009,
      `a message of more than ${mostMessageBytes} bytes`,
    ],
    [
      'a length of 2^63',
      Buffer.from([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
      1009,
      'a frame of 9223372036854776000 bytes',
    ],
    ['a byte above the bound', Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0x80, 0, 1]), 1009, 'a frame of 8388609 bytes'],
    ['bad UTF-8', raw(0x81, '\xc3\x28'), 1007, 'a text is not UTF-8'],
    [
      'half a character in the last fragment',
      Buffer.concat([raw(0x01, 'a'), raw(0x80, '\xc3')]),
      1007,
      'a text is not UTF-8',
    ],
    ['a surrogate', raw(0x81, '\xed\xa0\x80'), 1007, 'a text is not UTF-8'],
    ['half a close code', raw(0x88, '\x03'), 1002, 'half a code'],
    ['a close code below 1000', raw(0x88, '\x03\xe7'), 1002, 'the code 999'],
    ['a close code that is never sent', raw(0x88, '\x03\xee'), 1002, 'the code 1006'],
    ['a close code of no registry', raw(0x88, '\x07\xd0'), 1002, 'the code 2000'],
    ['a close code of 65535', raw(0x88, '\xff\xff'), 1002, 'the code 65535'],
    ['a close reason that is not UTF-8', raw(0x88, '\x03\xe8\xff'), 1007, 'reason of its close'],
    ['the second bit that is reserved', raw(0xa1, 'a'), 1002, 'a reserved bit'],
    ['a ping of 126 bytes', raw(0x89, 'a'.repeat(126)), 1002, 'a control frame'],
    ['a close in parts', raw(0x08, '\x03\xe8'), 1002, 'a control frame'],
    [
      'a continuation after a whole message',
      Buffer.concat([raw(0x81, 'a'), raw(0x00, 'b')]),
      1002,
      'goes on without one',
    ],
    ['a binary message within a text', Buffer.concat([raw(0x01, 'a'), raw(0x82, 'b')]), 1002, 'within another'],
  ])('for %s, and reads nothing after it', (_, wire, code, why) => {
    for (const cuts of wire.length > 100_000 ? [[65_536]] : [[wire.length], [1]]) {
      const heard = heardOf(Buffer.concat([wire, raw(0x81, 'after it')]), cuts);
      const end = heard.at(-1);
      expect(end).toContain(`broken ${code} `);
      expect(end).toContain(why);
    }
  });

  it.each([1000, 1001, 1003, 1011, 1014, 3000, 4503, 4999])('and takes the close code %i', (code) => {
    expect(heardOf(raw(0x88, Buffer.from([code >> 8, code & 255])), [1])).toEqual([`close ${code} `]);
  });

  it('when the unfinished messages of all connections take too much together, and not for what has ended', () => {
    const ends: string[] = [];
    const begun = () => {
      const reader = listen({ broken: (code, why) => ends.push(`${code} ${why}`) });
      reader.read(raw(0x01, Buffer.alloc(7 * 2 ** 20, 'a')));
      return reader;
    };
    const readers = Array.from({ length: 40 }, begun);
    const refused = ends.length;
    expect(new Set(ends)).toEqual(
      new Set(['1009 too many long messages have come in parts, on all connections together']),
    );
    // 256 MiB, 7 MiB each.
    expect(refused).toBe(4);
    for (const reader of readers) reader.read(raw(0x80, 'the end'));
    begun().read(raw(0x80, 'the end'));
    expect(ends).toHaveLength(refused);
  });
});

/** Everything that a reader hears of these bytes, cut as told, again and again. */
function heardOf(wire: Buffer, cuts: readonly number[]): string[] {
  const heard: string[] = [];
  const reader = listen({
    text: (text) => heard.push(text),
    ping: (data) => heard.push(`ping ${Buffer.from(data).toString('hex')}`),
    broken: (code, why) => heard.push(`broken ${code} ${why}`),
  });
  feed(reader, wire, cuts);
  return heard;
}

function feed(reader: WsReader, wire: Buffer, cuts: readonly number[]): void {
  let at = 0;
  const shared = Buffer.alloc(Math.min(Math.max(...cuts), wire.length));
  for (let i = 0; at < wire.length; i++) {
    const length = wire.copy(shared, 0, at, Math.min(wire.length, at + cuts[i % cuts.length]!));
    at += length;
    reader.read(shared, length);
    while (reader.behind) reader.readOn();
    shared.fill(0xff);
  }
}

/** Bytes that a reader copies and calls that it makes to do so, without those of the test. */
function stepsFor(wire: Buffer, cut: number): number {
  const chunks = Array.from({ length: Math.ceil(wire.length / cut) }, (_, i) => wire.subarray(i * cut, (i + 1) * cut));
  const { copy } = Buffer.prototype;
  let steps = 0;
  vi.spyOn(Buffer.prototype, 'copy').mockImplementation(function (this: Buffer, ...args) {
    const copied: number = Reflect.apply(copy, this, args);
    steps += 1 + copied;
    return copied;
  });
  const { from, concat } = Buffer;
  vi.spyOn(Buffer, 'from').mockImplementation((...args: unknown[]) => {
    const made = Reflect.apply(from, Buffer, args);
    steps += 1 + made.length;
    return made;
  });
  vi.spyOn(Buffer, 'concat').mockImplementation((...args) => {
    const made = Reflect.apply(concat, Buffer, args);
    steps += 1 + made.length;
    return made;
  });
  const reader = listen({ text: () => steps++, ping: () => steps++ });
  for (const chunk of chunks) {
    reader.read(chunk);
    while (reader.behind) {
      steps += 1;
      reader.readOn();
    }
  }
  vi.restoreAllMocks();
  return steps;
}

/** One text in fragments, an unfragmented one where there is one part. */
function fragments(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.map((part, i) => frameOf((i === 0 ? 1 : 0) | (i === parts.length - 1 ? 0x80 : 0), part)));
}

function frameOf(first: number, data: Buffer): Buffer {
  return raw(first, first >= 0x88 ? data.subarray(0, 125) : data);
}
