import { createRandomStream, type RandomStream } from '../../stats/random-stream.ts';
import type { Stay } from './load-profile.ts';
import { draw, type LoadProfile, peakLevel, type Range } from './load-profile.ts';

/**
 * A shape of learners at once, as places: place `k` is open while the level is above `k`, so that
 * the last to open is the first to close. A place without a session length holds one learner; with
 * one, learners follow one another by the clock, a moment apart, and the first stays for a part of
 * a session only, as if the class had been going on: otherwise all would leave together.
 */
export function concurrentStays(shape: LoadProfile, seed: number): Stay[] {
  const stays: Stay[] = [];
  for (let place = 0; place < peakLevel(shape); place++) {
    const random = createRandomStream(seed, placeStream + place);
    for (const { openMs, closeMs } of openings(shape, place, random)) {
      stays.push(...occupants(openMs, closeMs, shape.session, random));
    }
  }
  return stays;
}

type Opening = { openMs: number; closeMs: number };

function openings({ phases, endMs }: LoadProfile, place: number, random: RandomStream): Opening[] {
  const found: Opening[] = [];
  let openMs: number | undefined;
  let from = 0;
  for (const { beginMs, rampMs, level } of phases) {
    const moves = Math.abs(level - from);
    if (openMs === undefined && place < level) {
      openMs = beginMs + (rampMs * (place - from + random())) / moves;
    } else if (openMs !== undefined && place >= level) {
      found.push({ openMs, closeMs: beginMs + (rampMs * (from - 1 - place + random())) / moves });
      openMs = undefined;
    }
    from = level;
  }
  if (openMs !== undefined) found.push({ openMs, closeMs: endMs });
  return found;
}

function occupants(openMs: number, closeMs: number, session: Range | undefined, random: RandomStream): Stay[] {
  if (!session) return [{ arrivalMs: openMs, leaveMs: closeMs }];
  const stays: Stay[] = [];
  let arrivalMs = openMs;
  let share = random();
  while (arrivalMs < closeMs) {
    const stayMs = Math.max(leastSessionMs, draw(session, random()) * share);
    const leaveMs = arrivalMs + stayMs + turnaroundMs + leastSessionMs > closeMs ? closeMs : arrivalMs + stayMs;
    stays.push({ arrivalMs, leaveMs });
    arrivalMs = leaveMs + turnaroundMs;
    share = 1;
  }
  return stays;
}

/**
 * From one learner's leaving to the next one's coming: the last final arrives in it, so that places
 * are not taken twice.
 */
const turnaroundMs = 500;
/** The shortest stay of a learner. */
const leastSessionMs = 2000;
const placeStream = 0x2000_0000;
