import { onGrid } from '../../clock/wheel.ts';
import { createRandomStream } from '../../stats/random-stream.ts';
import { concurrentStays } from './concurrency.ts';
import { draw, type LoadProfile, type ProfilePhase, type Stay } from './load-profile.ts';

/**
 * Everybody who comes, in order of arrival; the place in the list is the learner's number. Open
 * loop: nothing of it depends on what the server does. Stays too short to say a word are left out.
 */
export function arrivalsOf(shape: LoadProfile, seed: number, leastStayMs: number): Stay[] {
  const stays = shape.by === 'learners' ? concurrentStays(shape, seed) : ratedStays(shape, seed);
  return stays
    .map(({ arrivalMs, leaveMs }) => ({ arrivalMs: onGrid(arrivalMs), leaveMs }))
    .filter(({ arrivalMs, leaveMs }) => leaveMs - arrivalMs >= leastStayMs)
    .sort((a, b) => a.arrivalMs - b.arrivalMs);
}

/**
 * The `k`-th arrival comes when the expected number of arrivals reaches a point: `k` and a bit, or
 * a Poisson process's.
 */
function ratedStays(shape: LoadProfile & { by: 'rate' }, seed: number): Stay[] {
  const stays: Stay[] = [];
  let poisson = 0;
  for (let k = 0; ; k++) {
    const random = createRandomStream(seed, arrivalStream + k);
    const point = random();
    // Gaps of a Poisson process are exponential in the expected count, however the rate changes
    // (time change theorem).
    poisson -= Math.log(1 - point);
    const arrivalMs = whenExpected(shape.phases, shape.process === 'poisson' ? poisson : k + point);
    if (arrivalMs === undefined) return stays;
    const stayMs = shape.session ? draw(shape.session, random()) : shape.endMs;
    stays.push({ arrivalMs, leaveMs: Math.min(shape.endMs, arrivalMs + stayMs) });
  }
}

/**
 * When the expected number of arrivals, which is the integral of the rate, reaches `count`;
 * undefined: not in this test.
 */
function whenExpected(phases: readonly ProfilePhase[], count: number): number | undefined {
  let rest = count;
  let from = 0;
  for (const { beginMs, endMs, rampMs, level } of phases) {
    const inRamp = (((from + level) / 2) * rampMs) / 1000;
    if (rest < inRamp) return beginMs + rampTime(from, level, rampMs, rest);
    rest -= inRamp;
    const inHold = (level * (endMs - beginMs - rampMs)) / 1000;
    if (rest < inHold) return beginMs + rampMs + (rest * 1000) / level;
    rest -= inHold;
    from = level;
  }
  return undefined;
}

/**
 * ms into a ramp from rate `from` to `to` at which `count` arrivals are expected: the root of a
 * quadratic.
 */
function rampTime(from: number, to: number, rampMs: number, count: number): number {
  if (count === 0) return 0;
  const slope = (to - from) / (rampMs / 1000);
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * count));
  // This form of the root stays exact when the slope is small.
  return ((2 * count) / (from + root)) * 1000;
}

const arrivalStream = 0x4000_0000;
