/**
 * Random numbers by counter: draw number n of a stream is a hash of (stream, n), so what one
 * purpose draws moves no other, and a client behaves alike whatever its neighbours do. The mixing
 * is two rounds of MurmurHash3's 32-bit finaliser (Austin Appleby), keyed between them. Members say
 * `private`, which costs nothing: a simulated device has some twenty of these.
 */
export class Draws {
  private readonly first: number;
  private readonly second: number;
  private counter = 0;

  constructor(key: DrawKey, stream: number) {
    this.first = mix(mix(key.seed ^ 0x9e3779b9) ^ (key.client >>> 0));
    this.second = mix(mix(Math.floor(key.seed / 0x1_0000_0000) ^ 0x7f4a7c15) ^ mix(stream + this.first));
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    this.counter = (this.counter + 1) | 0;
    return (mix(mix(this.counter ^ this.first) + this.second) >>> 0) / 0x1_0000_0000;
  }

  /** Exponential with that mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  /** Standard normal (Box and Muller 1958, the cosine half). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

/**
 * What the numbers depend on besides the stream: the run's seed, any safe integer, and the client's
 * number.
 */
export type DrawKey = { seed: number; client: number };

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
