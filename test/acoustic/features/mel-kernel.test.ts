import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { realFft } from '../../../src/acoustic/features/fft.ts';
import { createMelKernel } from '../../../src/acoustic/features/mel-kernel.ts';

const { memory, allocate } = await realFft(512);
const kernel = createMelKernel(memory);
const floats = (count: number) => new Float32Array(memory.buffer, allocate(4 * count), count);
const doubles = (count: number) => new Float64Array(memory.buffer, allocate(8 * count), count);
const endOf = ({ byteOffset, byteLength }: Float32Array | Float64Array) => byteOffset + byteLength;
const number = fc.oneof(fc.float(), fc.constantFrom(0, -0, 3e38, 1e-45), fc.float({ min: -1, max: 1 }));
const many = (count: number) => fc.array(number, { minLength: count, maxLength: count });
const law = { numRuns: 100, seed: 7 };

describe('the kernel of log-mel frames', () => {
  it('multiplies as a plain loop over float32 does, to the last bit', () => {
    const [samples, window, output] = [floats(16), floats(16), floats(16)];
    fc.assert(
      fc.property(many(16), many(16), (some, others) => {
        samples.set(some);
        window.set(others);
        kernel.multiply(samples.byteOffset, window.byteOffset, output.byteOffset, endOf(output));
        expect([...output]).toEqual([...samples].map((sample, n) => Math.fround(sample * window[n]!)));
      }),
      law,
    );
  });

  it.each([2, 16])('gives the power of %d bins and the last one, to the last bit', (bins) => {
    const [spectrum, power] = [floats(2 * bins), doubles(bins + 1)];
    fc.assert(
      fc.property(many(2 * bins), (values) => {
        spectrum.set(values);
        kernel.power(spectrum.byteOffset, power.byteOffset, endOf(power) - 8);
        const part = (k: number) => spectrum[k]! * spectrum[k]!;
        const inner = Array.from({ length: bins - 1 }, (_, k) => part(2 * k + 2) + part(2 * k + 3));
        expect([...power]).toEqual([part(0), ...inner, part(1)].map(Math.fround));
      }),
      law,
    );
  });

  it('sums two filters at a time in the order of their bins, to the last bit', () => {
    const [power, weights, floor, sums] = [doubles(9), doubles(2 * (9 + 1 + 4)), doubles(1), doubles(6)];
    const ranges = [
      [0, 9],
      [8, 9],
      [2, 6],
    ] as const;
    const pairs = new Int32Array(memory.buffer, allocate(24), 6);
    pairs.set(ranges.flatMap(([from, to]) => [power.byteOffset + 8 * from, power.byteOffset + 8 * to]));
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    const values = (count: number) => fc.array(finite, { minLength: count, maxLength: count });
    fc.assert(
      fc.property(values(power.length), values(weights.length), finite, (somePower, someWeights, first) => {
        power.set(somePower);
        weights.set(someWeights);
        floor[0] = first;
        kernel.sum(pairs.byteOffset, weights.byteOffset, floor.byteOffset, sums.byteOffset, endOf(sums));
        let at = 0;
        const expected = ranges.flatMap(([from, to]) => {
          const both = [first, first];
          for (let k = from; k < to; k++) for (const m of [0, 1]) both[m]! += weights[at++]! * power[k]!;
          return both;
        });
        expect([...sums]).toEqual(expected);
      }),
      law,
    );
  });

  it('takes the logarithm as Math.log does, rounded to float32, to the last bit', () => {
    const [sums, logs] = [doubles(8), floats(8)];
    const anywhere = fc.double({ min: 2 ** -1022, max: Number.MAX_VALUE, noNaN: true });
    const near = fc.double({ min: 0.5, max: 2, noNaN: true });
    const powers = fc.integer({ min: -1000, max: 1000 }).map((k) => 2 ** k);
    const beside = fc.integer({ min: -4, max: 4 }).map((ulps) => 1 + ulps * 2 ** -52);
    const asPower = fc.double({ min: 1000, max: 1e14, noNaN: true });
    const one = fc.oneof(anywhere, near, powers, beside, asPower);
    fc.assert(
      fc.property(fc.array(one, { minLength: 8, maxLength: 8 }), (values) => {
        sums.set(values);
        kernel.log(sums.byteOffset, logs.byteOffset, endOf(logs));
        expect([...logs]).toEqual(values.map((value) => Math.fround(Math.log(value))));
      }),
      { numRuns: 2000, seed: 7 },
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'gives no number for the logarithm of %d, and for it alone',
    (none) => {
      const [sums, logs] = [doubles(4).fill(1), floats(4)];
      sums[2] = none;
      kernel.log(sums.byteOffset, logs.byteOffset, endOf(logs));
      expect([...logs]).toEqual([0, 0, Number.NaN, 0]);
    },
  );

  it('adds up and normalises by sums, count and deviations as plain loops do, to the last bit', () => {
    const [values, sums, deviations, count, total] = [floats(10), doubles(8), doubles(8), doubles(1), doubles(1)];
    const finite = fc.float({ min: -100, max: 100, noNaN: true });
    const eight = fc.array(finite, { minLength: 8, maxLength: 8 });
    const positive = fc.double({ min: 0.5, max: 1000, noNaN: true });
    const eightDeviations = fc.array(positive, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(eight, eight, eightDeviations, positive, (heard, before, spread, frames) => {
        values.set(heard);
        sums.set(before);
        deviations.set(spread);
        count[0] = frames;
        kernel.total(values.byteOffset, values.byteOffset + 28, total.byteOffset);
        expect(total[0]).toBe(heard.slice(0, 7).reduce((sum, value) => sum + value, 0));
        kernel.accumulate(values.byteOffset, sums.byteOffset, endOf(sums));
        const after = heard.map((value, b) => before[b]! + value);
        expect([...sums]).toEqual(after);
        const end = values.byteOffset + 32;
        kernel.normalise(sums.byteOffset, count.byteOffset, deviations.byteOffset, values.byteOffset, end);
        const normal = heard.map((value, b) => Math.fround((value - after[b]! / frames) / spread[b]!));
        expect([...values.subarray(0, 8)]).toEqual(normal);
      }),
      law,
    );
  });
});
