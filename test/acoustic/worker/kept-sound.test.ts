import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeptSound, SoundBlocks } from '../../../src/acoustic/worker/kept-sound.ts';

const model = { sampleRateHz: 8000, strideMs: 30 };
const strideSamples = 240;

describe('KeptSound', () => {
  it('gives back what was pushed since a frame at least two seconds before the first that is not known, to 16 bits', () => {
    const acts = fc.array(
      fc.record({ samples: fc.integer({ min: 1, max: 9000 }), known: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(acts, (steps) => {
        const kept = new KeptSound(new SoundBlocks(model));
        const all: number[] = [];
        let nextFrame = 0;
        for (const { samples, known } of steps) {
          const pcm = Float32Array.from({ length: samples }, (_, i) => Math.sin(all.length + i));
          kept.push(pcm);
          all.push(...pcm);
          nextFrame = Math.max(nextFrame, Math.floor((known * all.length) / strideSamples));
          kept.answered(nextFrame);
        }
        const { pcm, firstFrame } = kept.replay();
        expect(firstFrame).toBeLessThanOrEqual(Math.max(0, nextFrame - 2000 / 30));
        expect(pcm.length).toBe(all.length - firstFrame * strideSamples);
        const worst = pcm.reduce(
          (most, value, i) => Math.max(most, Math.abs(value / 32_768 - all[firstFrame * strideSamples + i]!)),
          0,
        );
        expect(worst).toBeLessThanOrEqual(1 / 32_768);
      }),
    );
  });

  it('holds no more than the context, a block on either side, and what is not known', () => {
    const kept = new KeptSound(new SoundBlocks(model));
    for (let frame = 0; frame < 2000; frame++) {
      kept.push(new Float32Array(strideSamples));
      kept.answered(frame);
    }
    expect(kept.replay().pcm.length).toBeLessThan(3.2 * 8000);
  });

  it('keeps what is too loud loud', () => {
    const kept = new KeptSound(new SoundBlocks(model));
    kept.push(Float32Array.of(1, -1, 3, Number.NaN));
    expect([...kept.replay().pcm]).toEqual([32_767, -32_768, 32_767, 0]);
  });

  it('keeps whole numbers as they are', () => {
    const kept = new KeptSound(new SoundBlocks(model));
    const pcm = Int16Array.from({ length: 9000 }, (_, i) => i * 7919);
    for (let at = 0; at < pcm.length; at += 321) kept.push(pcm.subarray(at, at + 321));
    expect(kept.replay().pcm).toEqual(pcm);
  });

  it('gives its memory to the next stream, which hears nothing of it', () => {
    const blocks = new SoundBlocks(model);
    const [first, second] = [new KeptSound(blocks), new KeptSound(blocks)];
    first.push(new Float32Array(10_000).fill(0.5));
    first.release();
    first.release();
    second.push(new Float32Array(100));
    expect([...second.replay().pcm]).toEqual(new Array(100).fill(0));
    expect(first.replay().pcm.length).toBe(0);
  });

  it('keeps no more spare blocks than calm times need', () => {
    const blocks = new SoundBlocks(model);
    const burst = Array.from({ length: 2100 }, () => blocks.take());
    for (const block of burst) blocks.giveBack(block);
    const again = new Set(Array.from({ length: 2100 }, () => blocks.take()));
    expect(burst.filter((block) => again.has(block))).toHaveLength(2000);
  });
});
