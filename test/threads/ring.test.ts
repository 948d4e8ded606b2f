import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newRing, RingReader, RingWriter } from '../../src/threads/ring.ts';

/** Writes a record that can be told from every other: its number, then its length in bytes. */
function write(writer: RingWriter, number: number, bytes: number): void {
  const at = writer.begin(number % 7, bytes + 8);
  writer.memory.int32[at / 4] = number;
  writer.memory.int32[at / 4 + 1] = bytes;
  const payload = writer.memory.float32.subarray(at / 4 + 2, (at + 8 + bytes) / 4);
  for (let i = 0; i < payload.length; i++) payload[i] = number + i;
  writer.commit();
}

/** Reads the next record and holds it against what was written as `number`. */
function read(reader: RingReader, number: number, bytes: number): void {
  const at = reader.next();
  expect(at).toBeGreaterThanOrEqual(0);
  expect(at % 8).toBe(0);
  expect(reader.kind).toBe(number % 7);
  expect([reader.memory.int32[at / 4], reader.memory.int32[at / 4 + 1]]).toEqual([number, bytes]);
  const payload = reader.memory.float32.subarray(at / 4 + 2, (at + 8 + bytes) / 4);
  expect(payload.every((value, i) => value === number + i)).toBe(true);
}

const ringBytes = 1024;
const acts = fc.array(
  fc.oneof(
    fc.record({ act: fc.constant('write' as const), words: fc.integer({ min: 0, max: 124 }) }),
    fc.record({ act: fc.constant('read' as const), records: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ act: fc.constant('flush' as const) }),
  ),
  { maxLength: 200 },
);

describe('a ring of records', () => {
  it('brings every record whole and in order, whatever the sizes and however reads and writes alternate', () => {
    fc.assert(
      fc.property(acts, (steps) => {
        const memory = newRing(ringBytes);
        const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
        const sizes: number[] = [];
        let taken = 0;
        const readAll = (most: number) => {
          for (let i = 0; i < most && !reader.isEmpty; i++, taken++) read(reader, taken, sizes[taken]!);
        };
        for (const step of steps) {
          if (step.act === 'write') {
            write(writer, sizes.length, 4 * step.words);
            sizes.push(4 * step.words);
          } else if (step.act === 'flush') writer.flush();
          else readAll(step.records);
        }
        for (let round = 0; taken < sizes.length && round <= sizes.length; round++) {
          writer.flush();
          readAll(Number.POSITIVE_INFINITY);
          expect(reader.next()).toBe(-1);
        }
        expect(taken).toBe(sizes.length);
        expect(writer.isFull).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('goes on beyond the largest count of its positions', () => {
    const memory = newRing(ringBytes);
    // Both ends stand a few records before the place where the count wraps.
    new Int32Array(memory.control).fill(-40, 0, 17);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    for (let number = 0; number < 100; number++) {
      write(writer, number, 40);
      read(reader, number, 40);
    }
    expect(reader.next()).toBe(-1);
  });

  it('keeps what finds no room until there is some, and says so', () => {
    const memory = newRing(ringBytes);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    for (let number = 0; number < 20; number++) write(writer, number, 100);
    expect(writer.isFull).toBe(true);
    for (let number = 0; number < 20; number++) {
      read(reader, number, 100);
      writer.flush();
    }
    expect(writer.isFull).toBe(false);
    expect(reader.next()).toBe(-1);
  });

  it('gives memory back to the writer when the reader has moved on, and not before', () => {
    const memory = newRing(ringBytes);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    write(writer, 0, 440);
    write(writer, 1, 440);
    read(reader, 0, 440);
    write(writer, 2, 440);
    expect(writer.isFull).toBe(true);
    read(reader, 1, 440);
    writer.flush();
    expect(writer.isFull).toBe(false);
    read(reader, 2, 440);
  });

  it.each([
    ['as large as half of it', ringBytes / 2 - 8, false],
    ['that is larger', ringBytes / 2, true],
  ])('takes a record %s: refused is %s', (_, bytes, isRefused) => {
    const writer = new RingWriter(newRing(ringBytes));
    const begin = () => writer.begin(0, bytes);
    if (isRefused) expect(begin).toThrow(RangeError);
    else expect(begin()).toBe(8);
  });

  it('shows nothing of a record that was begun and not ended', () => {
    const memory = newRing(ringBytes);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    writer.begin(3, 100);
    expect(reader.next()).toBe(-1);
    write(writer, 0, 8);
    read(reader, 0, 8);
  });

  it('has a sleeping reader woken once', () => {
    const memory = newRing(ringBytes);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    expect(writer.claimWake()).toBe(false);
    expect(reader.sleep()).toBe(true);
    write(writer, 0, 8);
    expect([writer.claimWake(), writer.claimWake()]).toEqual([true, false]);
    expect(reader.sleep()).toBe(false);
    read(reader, 0, 8);
    expect(reader.sleep()).toBe(true);
    reader.wake();
    expect(writer.claimWake()).toBe(false);
  });
});
