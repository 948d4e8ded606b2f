import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newDataKey, openRecord, sealRecord } from '../../src/handoff/cipher.ts';
import { type RecordHead, readHead } from '../../src/handoff/record.ts';
import { UtteranceSound } from '../../src/handoff/utterance-sound.ts';
import { handedUtterance } from './kit.ts';

const head: RecordHead = { session: 's', utterance: 3, region: 'eu', model: 'm 1', createdMs: 1, expiresMs: 2 };

describe('a record of an utterance', () => {
  it('is the same again under its key: the text, the sound bit by bit, the gaps', async () => {
    const key = newDataKey();
    const sound = [Int16Array.of(-32_768, 0, 32_767), { gapMs: 40.5 }, Float32Array.of(0.1, -1, 1e-9)];
    const utterance = handedUtterance(0, { sound, marker: 'ü', reason: 'timeout', toldMs: 12.5, toldRev: 4 });
    expect(openRecord(await sealRecord(head, utterance, key), key)).toEqual({ head, utterance });
  });

  it('shows neither text nor sound to who has no key, and is different each time', async () => {
    const key = newDataKey();
    const utterance = handedUtterance(0, { sound: [new Int16Array(1000).fill(0x4142)] });
    const [one, two] = [await sealRecord(head, utterance, key), await sealRecord(head, utterance, key)];
    expect(one.includes('cat')).toBe(false);
    expect(one.includes('BABABA')).toBe(false);
    expect(one.equals(two)).toBe(false);
  });

  it('is refused when any byte of it was changed, or it was cut anywhere', async () => {
    const key = newDataKey();
    const record = await sealRecord(head, handedUtterance(8), key);
    fc.assert(
      fc.property(fc.nat(record.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(record);
        changed[at]! ^= flip;
        expect(() => openRecord(changed, key)).toThrow(expect.objectContaining({ name: 'UnreadableRecord' }));
        const cut = record.subarray(0, at);
        expect(() => openRecord(cut, key)).toThrow(expect.objectContaining({ name: 'UnreadableRecord' }));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['another key', newDataKey(), 'it was changed, or is under another key than that of its session'],
    ['a key that is none', 'abc', 'the key of its session is none'],
  ])('is refused under %s', async (_, key, message) => {
    const record = await sealRecord(head, handedUtterance(), newDataKey());
    expect(() => openRecord(record, key)).toThrow(message);
  });

  it.each([
    ['nothing', () => Buffer.alloc(0), 'it is no record of an utterance'],
    ['rubbish', () => Buffer.from('rubbish of some length'), 'it is no record of an utterance'],
    ['the future', (record: Buffer) => versioned(record, 2), 'it has version 2; this program reads version 1'],
    ['a head without end', (record: Buffer) => record.subarray(0, 20), 'its head cannot be read'],
    ['a head of nobody', (record: Buffer) => withHead(record, { session: '../x' }), 'its head cannot be read'],
  ])('says of %s that it cannot be read, and why', async (_, change, message) => {
    const record = await sealRecord(head, handedUtterance(), newDataKey());
    expect(() => readHead(change(record))).toThrow(message);
  });
});

describe('the sound that is kept of an utterance', () => {
  it('is what came, however it was cut, with its gaps between', () => {
    const piece = fc.oneof(
      fc.array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 40_000, size: 'max' }),
      fc.integer({ min: 1, max: 500 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const kept = new UtteranceSound(10_000_000);
        for (const one of pieces) {
          if (typeof one === 'number') kept.gap(one);
          else kept.push(Int16Array.from(one));
        }
        expect(joined(kept.take())).toEqual(
          joined(pieces.map((one) => (typeof one === 'number' ? { gapMs: one } : Int16Array.from(one)))),
        );
        expect(kept.take()).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('is forgotten as a whole when it is too long', () => {
    const kept = new UtteranceSound(1000);
    kept.push(new Int16Array(500));
    expect(kept.isTooLong).toBe(false);
    kept.push(new Int16Array(1));
    kept.push(new Int16Array(1));
    expect([kept.isTooLong, kept.bytes, kept.take()]).toEqual([true, 0, []]);
  });

  it('keeps fractions apart from whole numbers, in their order', () => {
    const kept = new UtteranceSound(10_000);
    kept.push(Int16Array.of(1, 2));
    kept.push(Float32Array.of(0.5));
    kept.push(Int16Array.of(3));
    expect(kept.take()).toEqual([Int16Array.of(1, 2), Float32Array.of(0.5), Int16Array.of(3)]);
  });
});

function versioned(record: Buffer, version: number): Buffer {
  const copy = Buffer.from(record);
  copy[4] = version;
  return copy;
}

function withHead(record: Buffer, changes: object): Buffer {
  const text = Buffer.from(JSON.stringify({ ...head, ...changes }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([record.subarray(0, 5), length, text]);
}

/** Samples between gaps, however they lie in memory. */
function joined(parts: readonly (Int16Array | Float32Array | { gapMs: number })[]): unknown[] {
  const all: unknown[] = [];
  let run: number[] = [];
  for (const part of parts) {
    if (!('gapMs' in part)) {
      run = run.concat(Array.from(part));
      continue;
    }
    if (run.length > 0) all.push(run);
    all.push(part);
    run = [];
  }
  return run.length > 0 ? [...all, run] : all;
}
