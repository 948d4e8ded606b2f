/** One panel; queries by their legends. */
export type Panel = {
  kind: 'stat' | 'series';
  title: string;
  /** What a reader should take from it. */
  description: string;
  /** Grafana's name of the unit: `s`, `percentunit`, `short`, `bytes`. */
  unit: string;
  queries: Record<string, string>;
  stacked?: true;
};

export type Row = { title: string; panels: readonly Panel[] };

/** Of the instances that were chosen. */
export const on = '{instance=~"$instance"}';

/** What a counter grows by a second, summed by labels. */
export const rate = (metric: string, by: string, matchers = 'instance=~"$instance"'): string =>
  `sum by (${by}) (rate(${metric}{${matchers}}[$__rate_interval]))`;
