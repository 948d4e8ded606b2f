import Table from 'cli-table3';
import { formatMs } from '../units.ts';
import type { Paint } from './paint.ts';

/** A search for the largest load that a server carries, as it ended. */
export type CapacitySearch = {
  name: string;
  target: string;
  learners: number;
  confirmed: boolean;
  limit: 'server' | 'generator' | 'most' | 'interrupted';
  steps: readonly {
    learners: number;
    outcome: 'carried' | 'missed' | 'generator';
    proven: boolean;
    long: boolean;
    reason: string;
    p50Ms: number;
    p95Ms: number;
    p99Ms: number;
    throughput: number;
  }[];
};

/** The steps in the order in which they were tried, and what they found. */
export function capacitySearchText(search: CapacitySearch, paint: Paint): string {
  const table = new Table({
    head: ['learners', 'p50', 'p95', 'p99', 'audio s/s', 'outcome'],
    style: { head: [], border: [], compact: true },
    colAligns: ['right', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const step of search.steps) {
    const { learners, outcome, p50Ms, p95Ms, p99Ms, throughput } = step;
    const colour = { carried: paint.good, missed: paint.bad, generator: paint.warn }[outcome];
    const latencies = [p50Ms, p95Ms, p99Ms].map(shown);
    table.push([learners, ...latencies, throughput.toFixed(1), `${colour(stepWord(step))}${notes(step)}`]);
  }
  return `${search.name}: the largest load that ${search.target} carries\n\n${table}\n\n${capacityVerdict(search)}\n`;
}

/** The answer in a sentence. */
export function capacityVerdict({ learners, limit, steps }: CapacitySearch): string {
  const last = steps.at(-1);
  if (limit === 'generator') {
    const limited = `the generator was the limit at ${last?.learners}: ${last?.reason}`;
    return `at least ${learners} learners; ${limited}`;
  }
  if (limit === 'interrupted') return `interrupted: at least ${learners} learners, not confirmed`;
  if (learners === 0) return 'not even one learner was carried';
  if (limit === 'most') return `at least ${learners} learners, confirmed; more were not tried`;
  const miss = Math.min(...steps.filter(({ outcome }) => outcome === 'missed').map((step) => step.learners));
  return `${learners} learners, confirmed by a longer run; ${miss} were too many`;
}

/** One step in a line, while the search goes on. */
export function capacityStepLine(step: CapacitySearch['steps'][number]): string {
  return `${step.learners} learners: ${stepWord(step)}, p95 ${shown(step.p95Ms)}${notes(step)}`;
}

function shown(ms: number): string {
  return Number.isFinite(ms) ? formatMs(ms) : 'never';
}

function stepWord({ outcome, long }: CapacitySearch['steps'][number]): string {
  if (outcome === 'generator') return 'invalid';
  return outcome === 'carried' && long ? 'confirmed' : outcome;
}

function notes({ outcome, proven, reason }: CapacitySearch['steps'][number]): string {
  if (outcome === 'carried') return proven ? '' : `, not proven: ${reason}`;
  return `: ${reason}`;
}
