import type { UserCurve } from '../scenario/users.ts';

/**
 * How many learners of each region are played as one, so that a run costs about the same whatever
 * the number of learners: 1 everywhere while all of them together speak no more than twenty million
 * turns; else each region has an equal part of those turns, and one that speaks less than its part
 * is played learner by learner.
 *
 * A group's streams begin and end together, so the number of streams keeps its mean, and its
 * standard deviation is sqrt(group) times that of single learners: no plan looks better for it.
 * 4,000,000 learners who speak two fifths of an hour in turns of a minute are 97.6 million turns,
 * in groups of 5.
 */
export function learnersInGroups(
  regions: readonly UserCurve[],
  { duty, turnMs, durationMs }: { duty: number; turnMs: number; durationMs: number },
): number[] {
  const turns = regions.map((users) => turnsOf(users, durationMs, duty, turnMs));
  if (turns.reduce((sum, each) => sum + each, 0) <= mostTurns) return turns.map(() => 1);
  return turns.map((each) => Math.max(1, Math.ceil((each * regions.length) / mostTurns)));
}

/**
 * Turns that are under way at the start, begin as learners come, and begin later: users x duty /
 * turn a second.
 */
function turnsOf(users: UserCurve, durationMs: number, duty: number, turnMs: number): number {
  let [before, come, userMs] = [0, 0, 0];
  for (let atMs = 0; atMs < durationMs; atMs += stepMs) {
    const now = users(atMs);
    come += Math.max(0, now - before);
    userMs += now * Math.min(stepMs, durationMs - atMs);
    before = now;
  }
  return duty * (come + userMs / turnMs);
}

const mostTurns = 20_000_000;
/** As the simulation moves learners. */
const stepMs = 1000;
