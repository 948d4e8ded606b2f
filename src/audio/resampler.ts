import { kaiserSinc } from './kaiser.ts';

/**
 * Streaming change of sample rate. Output sample m is the sound at m / toHz; any chunking gives the
 * same samples.
 */
export type Resampler = {
  /** The output that can be known so far; possibly empty. */
  push(input: Float32Array): Float32Array;
  /** The rest: the sound is followed by silence. The resampler is spent then. */
  flush(): Float32Array;
};

/**
 * Windowed-sinc polyphase resampling (Kaiser window, 80 dB design), 48 zero crossings a side: flat
 * to 0.9 of the lower Nyquist frequency, what would alias is at least 60 dB down, the look-ahead is
 * 3.2 ms when the lower rate is 16 kHz. Equal rates pass through untouched. Ratios of more than
 * 4,096 phases use the nearest of 4,096.
 */
export function createResampler(fromHz: number, toHz: number): Resampler {
  if (fromHz === toHz) return { push: (input) => input, flush: () => new Float32Array(0) };
  const divisor = greatestCommonDivisor(fromHz, toHz);
  return new PolyphaseResampler(toHz / divisor, fromHz / divisor);
}

/** The whole of `input` at another rate; ceil(length * toHz / fromHz) samples. */
export function resample(input: Float32Array, fromHz: number, toHz: number): Float32Array {
  if (fromHz === toHz) return input;
  const resampler = createResampler(fromHz, toHz);
  const [body, tail] = [resampler.push(input), resampler.flush()];
  const output = new Float32Array(body.length + tail.length);
  output.set(body);
  output.set(tail, body.length);
  return output;
}

const maxPhases = 4096;

/** Up by `up`, down by `down`: output m sits at input position m * down / up. */
class PolyphaseResampler implements Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #phases: number;
  readonly #taps: Float64Array;
  readonly #half: number;
  /**
   * `#history[0]` is input sample `#base`; the silence before the start is written out so that the
   * loop has no edges.
   */
  #history: Float32Array;
  #base: number;
  #received = 0;
  #produced = 0;

  constructor(up: number, down: number) {
    this.#up = up;
    this.#down = down;
    this.#phases = Math.min(up, maxPhases);
    const { taps, half } = kaiserSinc(this.#phases, Math.min(1, up / down));
    this.#taps = taps;
    this.#half = half;
    this.#history = new Float32Array(half);
    this.#base = -half;
  }

  push(input: Float32Array): Float32Array {
    this.#append(input);
    this.#received += input.length;
    // Output m may reach to input floor(m * down / up) + 1 + half when its phase rounds up.
    const lastWhole = this.#received - this.#half - 2;
    return this.#produce(lastWhole < 0 ? 0 : Math.floor((lastWhole * this.#up) / this.#down) + 1);
  }

  flush(): Float32Array {
    this.#append(new Float32Array(this.#half + 2));
    return this.#produce(Math.ceil((this.#received * this.#up) / this.#down));
  }

  #produce(until: number): Float32Array {
    const [up, down, phases, taps, half] = [this.#up, this.#down, this.#phases, this.#taps, this.#half];
    const [history, base, produced] = [this.#history, this.#base, this.#produced];
    const width = 2 * half;
    const output = new Float32Array(Math.max(0, until - produced));
    for (let o = 0; o < output.length; o++) {
      const position = (produced + o) * down;
      let whole = Math.floor(position / up);
      let phase = Math.round(((position - whole * up) / up) * phases);
      if (phase === phases) {
        phase = 0;
        whole++;
      }
      output[o] = dot(taps, phase * width, history, whole - half + 1 - base, width);
    }
    this.#produced += output.length;
    return output;
  }

  /** Adds input to the history, without what no output needs any more. */
  #append(input: Float32Array): void {
    const history = this.#history;
    const needed = Math.floor((this.#produced * this.#down) / this.#up) - this.#half + 1 - this.#base;
    const keepFrom = Math.max(0, Math.min(history.length, needed));
    const next = new Float32Array(history.length - keepFrom + input.length);
    next.set(history.subarray(keepFrom));
    next.set(input, history.length - keepFrom);
    this.#history = next;
    this.#base += keepFrom;
  }
}

/**
 * Four sums, because one would wait for each addition before the next; `count` is a multiple of 4.
 */
function dot(a: Float64Array, aStart: number, b: Float32Array, bStart: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let k = 0; k < count; k += 4) {
    s0 += a[aStart + k]! * b[bStart + k]!;
    s1 += a[aStart + k + 1]! * b[bStart + k + 1]!;
    s2 += a[aStart + k + 2]! * b[bStart + k + 2]!;
    s3 += a[aStart + k + 3]! * b[bStart + k + 3]!;
  }
  return s0 + s1 + (s2 + s3);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
