import Table from 'cli-table3';

export type PairedOptions = {
  rounds: number;
  /** What the second server has: `a store`. */
  what: string;
  /** The figure of a server, ms. */
  without(): Promise<number>;
  withIt(): Promise<number>;
};

/**
 * What something adds to a figure: in each round both servers are measured one after the other, in
 * each the other way round, so that what the machine does meanwhile falls on both.
 *
 * @returns the figures of all rounds, and how much more the second is: median, extremes, mean and
 *   its standard error
 */
export async function comparePaired({ rounds, what, without, withIt }: PairedOptions): Promise<string> {
  const table = new Table({
    head: ['round', 'p95 without ms', `with ${what} ms`, 'more ms'],
    style: { head: [], border: [] },
  });
  const more: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const before = round % 2 === 1 ? await without() : undefined;
    const measured = await withIt();
    const plain = before ?? (await without());
    more.push(measured - plain);
    table.push([round, plain.toFixed(1), measured.toFixed(1), (measured - plain).toFixed(2)]);
  }
  const sorted = more.toSorted((a, b) => a - b);
  const mean = more.reduce((sum, ms) => sum + ms, 0) / more.length;
  const variance = more.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / Math.max(1, more.length - 1);
  const spread = `median ${sorted[Math.floor(sorted.length / 2)]!.toFixed(2)}, ${sorted[0]!.toFixed(2)} to ${sorted.at(-1)!.toFixed(2)}`;
  const error = Math.sqrt(variance / more.length).toFixed(2);
  return `${table}\nmore by ms: ${spread}; mean ${mean.toFixed(2)}, standard error ${error}`;
}
