import type { SplitLabel } from '../../budget/traces/split-labels.ts';

export type BudgetFlags = {
  traces?: string;
  run?: string;
  otlp?: string;
  name?: string;
  whatIf: string[];
  by?: SplitLabel;
  seed?: string;
  chart?: string;
  markdown?: true;
  json?: true;
  assumeIndependent?: true;
};
