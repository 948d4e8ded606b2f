import { formatMs } from '../../format.ts';
import { fitTable } from '../terminal/fit-table.ts';
import type { Paint } from '../terminal/paint.ts';

/** A search for the largest load that a server carries, as it ended. */
export type CapacitySearch = {
  name: string;
  target: string;
  learners: number;
  confirmed: boolean;
  limit: 'server' | 'generator' | 'most' | 'interrupted' | 'cost';
  /** Where the cost was the limit: what is known of it, in words. */
  overBill: string | undefined;
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

/**
 * The steps in the order in which they were tried, and what they found, for a terminal of so many
 * columns.
 */
export function capacitySearchText(search: CapacitySearch, paint: Paint, columns?: number): string {
  const head = ['learners', 'p50', 'p95', 'p99', 'audio s/s', 'outcome'];
  const rows = search.steps.map((step) => {
    const { outcome, p50Ms, p95Ms, p99Ms, throughput } = step;
    const colour = { carried: paint.good, missed: paint.bad, generator: paint.warn }[outcome];
    const latencies = [p50Ms, p95Ms, p99Ms].map(shown);
    return [`${step.learners}`, ...latencies, throughput.toFixed(1), `${colour(stepWord(step))}${notes(step)}`];
  });
  const parts = [
    `${search.name}: the largest load that ${search.target} carries`,
    ...(rows.length > 0 ? [fitTable(head, rows, { columns, left: ['outcome'] })] : []),
    [capacityVerdict(search), ...(search.limit === 'generator' ? [generatorAdvice] : [])].join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

const generatorAdvice =
  'what to do: end what else runs on this machine, make the load from another one (--url), or begin with fewer (--from)';

export function learnersText(count: number): string {
  return count === 1 ? '1 learner' : `${count} learners`;
}

/** The answer in a sentence. */
export function capacityVerdict({ learners, limit, steps, overBill }: CapacitySearch): string {
  const last = steps.at(-1);
  if (limit === 'generator') {
    const tried = steps.filter(({ outcome, long }) => outcome === 'generator' && long === last?.long);
    const times = tried.filter((step) => step.learners === last?.learners).length;
    const limited = `${learnersText(last?.learners ?? 0)} could not be measured, invalid ${times === 1 ? 'once' : `${times} times`}: ${last?.reason}`;
    return `${learners === 0 ? 'nothing is known' : `at least ${learnersText(learners)}, not confirmed`}; ${limited}`;
  }
  if (limit === 'interrupted' && learners === 0) return 'interrupted before any load was carried';
  if (limit === 'interrupted') return `interrupted: at least ${learnersText(learners)}, not confirmed`;
  if (limit === 'cost')
    return `${learners === 0 ? 'nothing is known' : `at least ${learnersText(learners)}, not confirmed`}; ${overBill}`;
  if (learners === 0) return 'not even one learner was carried';
  if (limit === 'most') return `at least ${learnersText(learners)}, confirmed; more were not tried`;
  const miss = Math.min(...steps.filter(({ outcome }) => outcome === 'missed').map((step) => step.learners));
  return `${learnersText(learners)}, confirmed by a longer run; ${miss} were too many`;
}

/** One step in a line, while the search goes on. */
export function capacityStepLine(step: CapacitySearch['steps'][number]): string {
  return `${learnersText(step.learners)}: ${stepWord(step)}, p95 ${shown(step.p95Ms)}${notes(step)}`;
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
