import type { Objective } from '../slo/expression.ts';
import { labelNames } from '../slo/metrics.ts';
import { didYouMean } from '../suggest.ts';

/** What a test has that objectives may ask for; undefined: not known yet. */
export type Known = {
  profile: readonly string[] | undefined;
  language: readonly string[] | undefined;
  priced: boolean;
};

/** What an objective asks for and the test does not have: it would be judged on nothing. */
export function objectiveProblems({ selector, reading }: Objective, known: Known): string[] {
  const problems: string[] = [];
  for (const name of labelNames) {
    const wanted = selector[name];
    const there = known[name];
    if (wanted === undefined || there === undefined || there.some((one) => same(one, wanted))) continue;
    problems.push(
      `nobody has ${name} "${wanted}"${didYouMean(wanted, there)}; in this test: ${[...there].sort().join(', ')}`,
    );
  }
  if (reading === 'cost' && !known.priced) problems.push('needs a price; write spec.cost: {server: $1.20/h}');
  return problems;
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
