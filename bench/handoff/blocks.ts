import { quantileRanks } from '../../src/stats/order-statistics.ts';

/** Something of both servers. */
export type Both<Value> = { without: Value; withIt: Value };

/** A stretch of the load, in which somebody comes and goes at one of both servers. */
export type Block = { name: string; beginMs: number; endMs: number; comesTo: keyof Both<unknown> };

/**
 * What the second server has more, from sets of four blocks. Within a block the p95 of the other
 * server, to whom nobody comes, is taken away, and with it what the machine did to both: what is
 * left is what those who come and go add. Of each four that of the blocks at the first server is
 * taken from that of the blocks at the second, so that what drifts falls on both.
 *
 * @param p95Ms of the live sessions of each server, a block each
 * @returns a figure for each set of four, ms
 */
function moreInFours(blocks: readonly Block[], p95Ms: Both<readonly number[]>): number[] {
  const added = blocks.map(({ comesTo }, at) => {
    const rest = comesTo === 'without' ? p95Ms.withIt : p95Ms.without;
    return { comesTo, ms: p95Ms[comesTo][at]! - rest[at]! };
  });
  const inFour = (four: typeof added, at: keyof Both<unknown>): number => {
    const [one, other] = four.filter(({ comesTo }) => comesTo === at);
    return (one!.ms + other!.ms) / 2;
  };
  return Array.from({ length: blocks.length / 4 }, (_, set) => {
    const four = added.slice(4 * set, 4 * set + 4);
    return inFour(four, 'withIt') - inFour(four, 'without');
  });
}

/**
 * The figures in words, and whether their median is under `mostMs`: by its interval between ranks,
 * which a burst of somebody else's work in a few blocks does not move.
 */
export function comparedBlocks(blocks: readonly Block[], p95Ms: Both<readonly number[]>, mostMs: number): string {
  const more = moreInFours(blocks, p95Ms).sort((a, b) => a - b);
  const at = (share: number): number => more[Math.round(share * (more.length - 1))]!;
  const { low, high } = quantileRanks(more.length, 0.5, 0.95);
  const lower = low === undefined ? Number.NEGATIVE_INFINITY : more[low - 1]!;
  const upper = high === undefined ? Number.POSITIVE_INFINITY : more[high - 1]!;
  const middle = (figures: readonly number[]): string =>
    figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)]!.toFixed(1);
  return [
    `median of ${blocks.length} blocks: ${middle(p95Ms.without)} ms without, ${middle(p95Ms.withIt)} with`,
    `more by ms, ${more.length} sets of four blocks: half of them ${at(0.25).toFixed(2)} to ${at(0.75).toFixed(2)}`,
    `median ${at(0.5).toFixed(2)} [${lower.toFixed(2)}, ${upper.toFixed(2)}] (95 %): ${verdictOf(lower, upper, mostMs)}`,
  ].join('\n');
}

function verdictOf(lower: number, upper: number, mostMs: number): string {
  if (upper < mostMs) return `under ${mostMs} ms`;
  return lower > mostMs ? `NOT under ${mostMs} ms` : `undecided whether that is under ${mostMs} ms: more --rounds`;
}
