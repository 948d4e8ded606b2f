import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWav } from '../../src/audio/wav.ts';

/** How a writer lays out 16-bit mono samples; every layout is legal, or what a well-known program writes. */
type WavLayout = {
  riff: 'RIFF' | 'RF64';
  extensible: boolean;
  before: readonly { bytes: number; isPadded: boolean }[];
  cuts: readonly number[];
  after: boolean;
  /** Sizes that a writer to a pipe cannot go back to. */
  sizes: number | 'true';
};

const layouts: fc.Arbitrary<WavLayout> = fc.record({
  riff: fc.constantFrom<'RIFF' | 'RF64'>('RIFF', 'RF64'),
  extensible: fc.boolean(),
  before: fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 61 }), isPadded: fc.boolean() }), { maxLength: 3 }),
  cuts: fc.array(fc.integer({ min: 1, max: 399 }), { maxLength: 2 }),
  after: fc.boolean(),
  sizes: fc.constantFrom<number | 'true'>('true', 0xffffffff, 0x7fffffff, 0x7ffff000, 0),
});

const samples = Buffer.alloc(400);
for (let i = 0; i < 200; i++) samples.writeInt16LE(Math.round(9000 * Math.sin(i / 5)) + 1, 2 * i);

describe('one sound in any layout', () => {
  it('is the same samples', () => {
    const plain = [
      ...readWav(written({ riff: 'RIFF', extensible: false, before: [], cuts: [], after: false, sizes: 'true' }))
        .samples,
    ];
    expect(plain).toHaveLength(200);
    fc.assert(
      fc.property(layouts, (layout) => {
        expect([...readWav(written(layout)).samples]).toEqual(plain);
      }),
      { seed: 11, numRuns: 400 },
    );
  });
});

function written(layout: WavLayout): Buffer {
  const known = layout.sizes === 'true' || layout.riff === 'RF64';
  const pieces = known ? split(layout.cuts) : [samples];
  const parts = [
    chunk('fmt ', format(layout.extensible)),
    ...layout.before.map(({ bytes, isPadded }) => chunk('LIST', Buffer.alloc(bytes, 'x'), bytes, isPadded)),
    ...pieces.map((piece) => chunk('data', piece, dataSize(layout, piece.length))),
    // Behind sound of unknown length nothing can be told from sound.
    ...(layout.after && known ? [chunk('id3 ', Buffer.from('tagged'))] : []),
  ];
  if (layout.riff === 'RF64') parts.unshift(chunk('ds64', longSizes(samples.length)));
  const body = Buffer.concat([Buffer.from('WAVE'), ...parts]);
  const riffBytes = layout.sizes === 'true' ? body.length : Number(layout.sizes);
  return Buffer.concat([Buffer.from(layout.riff), u32(layout.riff === 'RF64' ? 0xffffffff : riffBytes), body]);
}

function dataSize({ riff, sizes, cuts }: WavLayout, bytes: number): number {
  if (riff === 'RF64') return cuts.length > 0 ? bytes : 0xffffffff;
  return sizes === 'true' ? bytes : sizes;
}

/** Pieces of the samples, cut anywhere, also within one. */
function split(cuts: readonly number[]): Buffer[] {
  const ends = [...new Set([0, ...cuts, samples.length])].sort((a, b) => a - b);
  return ends.slice(1).map((end, i) => samples.subarray(ends[i]!, end));
}

function chunk(id: string, bytes: Buffer, size = bytes.length, isPadded = true): Buffer {
  return Buffer.concat([Buffer.from(id), u32(size), bytes, Buffer.alloc(isPadded ? bytes.length & 1 : 0)]);
}

function format(extensible: boolean): Buffer {
  const bytes = Buffer.alloc(extensible ? 40 : 16);
  bytes.writeUInt16LE(extensible ? 0xfffe : 1, 0);
  bytes.writeUInt16LE(1, 2);
  bytes.writeUInt32LE(16_000, 4);
  bytes.writeUInt32LE(32_000, 8);
  bytes.writeUInt16LE(2, 12);
  bytes.writeUInt16LE(16, 14);
  if (extensible) Buffer.from('16001000000000000100000000001000800000aa00389b71', 'hex').copy(bytes, 16);
  return bytes;
}

function longSizes(dataBytes: number): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeBigUInt64LE(BigInt(dataBytes), 8);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
