import { addClusterSums, emptyClusterSums, sessionSums } from '../../src/metrics/cluster-sums.ts';
import { type ComparedShare, shiftOfShare } from '../../src/slo/objective/compare-shares.ts';
import { createRandom, type Random } from '../../src/stats/random.ts';

/** Runs of one server of which a share of the sessions dies midway and loses the rest of its slots. */
export type CompareCase = {
  sessions: number;
  slots: number;
  /** Share of the sessions that die; of the candidate, so many times as many. */
  dying: number;
  runs: number;
  worsening: number;
};

const margin = 0.001;
const confidence = 0.95;

/** How often the candidate is called worse, by sessions, and as it was with every event an observation. */
export function calledWorse(
  one: CompareCase,
  replicates: number,
  seed: number,
): { bySessions: number; byEvents: number } {
  const random = createRandom(seed);
  let [bySessions, byEvents] = [0, 0];
  for (let replicate = 0; replicate < replicates; replicate++) {
    const was = Array.from({ length: one.runs }, () => drawRun(random, one, one.dying));
    const is = Array.from({ length: one.runs }, () => drawRun(random, one, one.dying * one.worsening));
    if (shiftOfShare(was, is, { margin, confidence })!.upper < -margin) bySessions++;
    if (pooledUpper(was, is) < -margin) byEvents++;
  }
  return { bySessions: bySessions / replicates, byEvents: byEvents / replicates };
}

function drawRun(random: Random, { sessions, slots }: CompareCase, dying: number): ComparedShare {
  const sums = emptyClusterSums();
  for (let i = 0; i < sessions; i++) {
    const lost = random.uniform() < dying ? Math.ceil(random.uniform() * slots) : 0;
    addClusterSums(sums, sessionSums(slots, lost));
  }
  return { good: sums.samples - sums.misses, total: sums.samples, strata: [sums] };
}

/** The upper end of Agresti and Caffo's interval over all events of all runs. */
function pooledUpper(was: readonly ComparedShare[], is: readonly ComparedShare[]): number {
  const [a, b] = [was, is].map((runs) => {
    const good = runs.reduce((sum, run) => sum + run.good, 0);
    const total = runs.reduce((sum, run) => sum + run.total, 0);
    const share = (good + 1) / (total + 2);
    return { share: good / total, variance: (share * (1 - share)) / (total + 2) };
  });
  return b!.share - a!.share + 1.96 * Math.sqrt(a!.variance + b!.variance);
}
