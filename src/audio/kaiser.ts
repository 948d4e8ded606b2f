/**
 * Rows of 2 x half filter taps, one a phase, half even: tap k of phase p weighs input sample (whole
 * - half + 1 + k) for an output at whole + p / phases.
 */
export type PolyphaseTaps = { taps: Float64Array; half: number };

/**
 * Kaiser-windowed sinc low-pass as a polyphase table. `ratio` (at most 1) is the output rate over
 * the input rate: the pass band ends below the lower Nyquist frequency, so that what lies above it
 * is gone before it can alias. Window and its parameter: Kaiser and Schafer, "On the use of the
 * I0-sinh window for spectrum analysis", 1980.
 */
export function kaiserSinc(phases: number, ratio: number): PolyphaseTaps {
  const cutoff = ratio * passBand;
  const half = 2 * Math.ceil(zeroCrossings / cutoff / 2);
  const taps = new Float64Array(phases * 2 * half);
  for (let phase = 0; phase < phases; phase++) {
    const row = taps.subarray(phase * 2 * half, (phase + 1) * 2 * half);
    let sum = 0;
    for (let k = 0; k < row.length; k++) {
      const distance = k - (half - 1) - phase / phases;
      row[k] = sinc(distance * cutoff) * kaiser(distance / half);
      sum += row[k]!;
    }
    // Every phase passes a constant unchanged.
    for (let k = 0; k < row.length; k++) row[k]! /= sum;
  }
  return { taps, half };
}

const zeroCrossings = 48;
const passBand = 0.95;
/** 0.1102 (A - 8.7) for A = 80 dB. */
const beta = 7.857;

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - x * x)) / besselI0(beta);
}

function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
