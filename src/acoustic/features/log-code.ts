import { wasm } from '../../wasm-module.ts';

/** Local variables of 16 bytes that `logarithms` works in. */
export const logLocals = 7;

/**
 * Instructions that replace the two doubles in the local variable `x` by their natural logarithms,
 * to the last bit those of V8's `Math.log`, which is fdlibm's (Sun Microsystems, 1993): x = 2^k (1
 * + f) with 1 + f between sqrt(1/2) and sqrt(2), and a polynomial in s = f / (2 + f). All of its
 * branches are taken for both numbers. They are positive and normal; what is infinite or no number
 * gives no number.
 *
 * @param free The first of `logLocals` local variables.
 */
export function logarithms(x: number, free: number): number[] {
  const [mantissa, half, f, k, s, z, w] = Array.from({ length: logLocals }, (_, at) => free + at) as Seven;
  const [fraction, power, ratio, short] = [get(f), get(k), get(s), get(w)];
  const whence = get(mantissa);
  const high = [...get(x), ...wasm.shiftWholesRight(32)];
  const far = farFrom1(fraction, power, ratio, short);
  const close = closeTo1(fraction, power, ratio, short);
  return [
    ...[...both(wasm.andBits, high, whole(0xfffffn)), ...set(mantissa)],
    ...[...both(wasm.andBits, both(wasm.addWholes, whence, whole(0x95f64n)), whole(0x100000n)), ...set(half)],
    ...[...exponent(high, get(half)), ...set(k)],
    ...[...minus(reduced(get(x), whence, get(half)), value(1)), ...set(f)],
    ...[...over(fraction, plus(value(2), fraction)), ...set(s)],
    ...[...times(ratio, ratio), ...set(z), ...times(get(z), get(z)), ...set(w)],
    ...[...plus(odd(get(z), short), even(short)), ...set(w)],
    ...selected(isNear(whence), nextTo1(fraction, power), selected(isFar(whence), far, close)),
    // Adds nothing to a number, and no number to what is none.
    ...[...minus(get(x), get(x)), ...wasm.addPairs, ...set(x)],
  ];
}

type Seven = [number, number, number, number, number, number, number];

const { get, set } = wasm;
const value = (number: number): number[] => wasm.twice(number);
const whole = (number: bigint): number[] => wasm.wholeTwice(number);
const both = (operation: number[], a: number[], b: number[]): number[] => [...a, ...b, ...operation];
const plus = (a: number[], b: number[]): number[] => both(wasm.addPairs, a, b);
const minus = (a: number[], b: number[]): number[] => both(wasm.subtractPairs, a, b);
const times = (a: number[], b: number[]): number[] => both(wasm.multiplyPairs, a, b);
const over = (a: number[], b: number[]): number[] => both(wasm.dividePairs, a, b);
const selected = (mask: number[], yes: number[], no: number[]): number[] => [...yes, ...no, ...mask, ...wasm.select];

/** k as doubles: a whole number in the last bits of 1.5 x 2^52 is its distance from that. */
function exponent(high: number[], half: number[]): number[] {
  const sum = both(wasm.addWholes, [...high, ...wasm.shiftWholesRight(20)], [...half, ...wasm.shiftWholesRight(20)]);
  return minus(both(wasm.addWholes, sum, whole(0x4338000000000000n - 1023n)), value(1.5 * 2 ** 52));
}

/** 1 + f: the number with the exponent of 1, or of 1/2. */
function reduced(x: number[], mantissa: number[], half: number[]): number[] {
  const top = both(wasm.orBits, mantissa, both(wasm.xorBits, half, whole(0x3ff00000n)));
  return both(wasm.orBits, both(wasm.andBits, x, whole(0xffffffffn)), [...top, ...wasm.shiftWholesLeft(32)]);
}

/** Where |f| < 2^-20. */
function isNear(mantissa: number[]): number[] {
  const beside = both(wasm.andBits, both(wasm.addWholes, mantissa, whole(2n)), whole(0xfffffn));
  return both(wasm.isBelow, beside, whole(3n));
}

/** Where f^2 / 2 is taken out of the polynomial. */
function isFar(mantissa: number[]): number[] {
  const above = both(wasm.subtractWholes, mantissa, whole(0x6147an));
  const below = both(wasm.subtractWholes, whole(0x6b851n), mantissa);
  return both(wasm.isAbove, both(wasm.orBits, above, below), whole(0n));
}

function nextTo1(f: number[], k: number[]): number[] {
  const short = times(times(f, f), minus(value(0.5), times(value(0.3333333333333333), f)));
  return minus(times(k, value(ln2High)), minus(minus(short, times(k, value(ln2Low))), f));
}

function farFrom1(f: number[], k: number[], s: number[], rest: number[]): number[] {
  const square = times(times(value(0.5), f), f);
  const low = plus(times(s, plus(square, rest)), times(k, value(ln2Low)));
  return minus(times(k, value(ln2High)), minus(minus(square, low), f));
}

function closeTo1(f: number[], k: number[], s: number[], rest: number[]): number[] {
  const low = minus(times(s, minus(f, rest)), times(k, value(ln2Low)));
  return minus(times(k, value(ln2High)), minus(low, f));
}

/** The odd terms, z (Lg1 + w (Lg3 + w (Lg5 + w Lg7))) with z = s^2, w = z^2. */
function odd(z: number[], w: number[]): number[] {
  const inner = plus(value(0.1818357216161805), times(w, value(0.14798198605116586)));
  return times(z, plus(value(0.6666666666666735), times(w, plus(value(0.2857142874366239), times(w, inner)))));
}

/** The even ones, w (Lg2 + w (Lg4 + w Lg6)). */
function even(w: number[]): number[] {
  const inner = plus(value(0.22222198432149784), times(w, value(0.15313837699209373)));
  return times(w, plus(value(0.3999999999940942), times(w, inner)));
}

/** ln 2 in two parts, the first exact times any exponent. */
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;
