/**
 * How often the numbers hold when sessions are not independent: simulated load tests, budgets, comparisons and canaries whose
 * truth is known, as they are judged and as they were with every sample an observation of its own. Seeded; prints the tables of
 * docs/statistics.md. Run: npm run bench coverage [REPLICATES] [loadtest|compare|canary|budget]
 */
import { type BudgetCase, coverage } from './coverage/budget.ts';
import { type CanaryCase, falseRollbacks } from './coverage/canary.ts';
import { type CompareCase, calledWorse } from './coverage/compare.ts';
import { falseProofs, type LoadtestCase } from './coverage/loadtest.ts';

const replicates = Number(process.argv[2] ?? 1000);
const seed = 20;
const icc = [0, 0.1, 0.3, 0.5, 0.7, 0.9];

const tables = { loadtest, compare, canary, budget };
const only = process.argv[3];
for (const [name, table] of Object.entries(tables)) if (only === undefined || only === name) table();

/** The true value is exactly on the bound: each pass is a false one, at most 5 % asked. */
function loadtest(): void {
  const quantiles: [missShare: number, sessions: number, samples: number, lengths: number][] = [
    [0.05, 20, 50, 0],
    [0.05, 20, 200, 0],
    [0.05, 20, 100, 1.2],
    [0.05, 50, 100, 0],
    [0.05, 50, 100, 1.2],
    [0.05, 200, 50, 0],
    [0.05, 200, 50, 1.2],
    [0.01, 20, 200, 0],
    [0.01, 50, 200, 0],
    [0.01, 50, 200, 0.8],
  ];
  print('loadtest, percentiles: falsely proven at the bound', [
    'objective',
    'sessions',
    'lengths',
    ...icc.map(iccName),
  ]);
  for (const [missShare, sessions, samples, lengths] of quantiles) {
    const cells = icc.map((alike) => {
      const one: LoadtestCase = { kind: 'quantile', missShare, sessions, samples, alike, lengths };
      const { bySamples, bySessions } = falseProofs(one, replicates, seed);
      return `${percent(bySamples)} -> ${percent(bySessions)}`;
    });
    row([`p${100 * (1 - missShare)}`, `${sessions} x ${samples}`, String(lengths), ...cells]);
  }
  const shares: [missShare: number, sessions: number, samples: number, lengths: number, alike: number][] = [
    [0.01, 20, 200, 0, 1],
    [0.01, 20, 200, 1.2, 1],
    [0.01, 50, 200, 0, 1],
    [0.01, 50, 200, 1.2, 1],
    [0.01, 200, 200, 0, 1],
    [0.01, 200, 200, 1.2, 1],
    [0.05, 20, 100, 0.8, 1],
    [0.01, 20, 200, 0, 2],
    [0.01, 20, 200, 0, 0],
  ];
  print('loadtest, shares: the same', ['objective', 'sessions', 'lengths', 'logit sd', 'before -> now']);
  for (const [missShare, sessions, samples, lengths, alike] of shares) {
    const found = falseProofs({ kind: 'share', missShare, sessions, samples, alike, lengths }, replicates, seed);
    const change = `${percent(found.bySamples)} -> ${percent(found.bySessions)}`;
    row([`${100 * (1 - missShare)} %`, `${sessions} x ${samples}`, String(lengths), String(alike), change]);
  }
}

/** Both sides are of one server: at most 2.5 % may be called worse; and how often a server that is worse is found. */
function compare(): void {
  const cases: [sessions: number, slots: number, dying: number, runs: number][] = [
    [20, 250, 0.02, 1],
    [20, 50, 0.05, 1],
    [50, 600, 0.02, 1],
    [200, 600, 0.005, 1],
    [200, 600, 0.02, 1],
    [1000, 1000, 0.05, 1],
    [20, 250, 0.02, 2],
    [50, 600, 0.02, 3],
    [200, 600, 0.02, 5],
  ];
  print('compare, availability: called worse', ['sessions', 'dying', 'runs', 'same server', 'three times as many die']);
  for (const [sessions, slots, dying, runs] of cases) {
    const worse = (worsening: number) => {
      const one: CompareCase = { sessions, slots, dying, runs, worsening };
      const { byEvents, bySessions } = calledWorse(one, replicates, seed);
      return `${percent(byEvents)} -> ${percent(bySessions)}`;
    };
    row([`${sessions} x ${slots}`, percent(dying), String(runs), worse(1), worse(3)]);
  }
}

/** A canary that is just acceptable: at most 1 % may be rolled back. */
function canary(): void {
  const cases: CanaryCase[] = [
    { events: 1, sharing: 1, units: 6000 },
    { events: 5, sharing: 1, units: 1200 },
    { events: 20, sharing: 1, units: 300 },
    { events: 20, sharing: 1, units: 3000 },
    { events: 20, sharing: 0.5, units: 1000 },
    { events: 20, sharing: 0, units: 1000 },
  ];
  print('canary, sequential: rolled back falsely', ['units', 'events a unit', 'sharing a fate', 'before -> now']);
  for (const one of cases) {
    const { byEvents, byUnits } = falseRollbacks(one, 10 * replicates, seed);
    const change = `${percent(byEvents)} -> ${percent(byUnits)}`;
    row([String(one.units), String(one.events), percent(one.sharing), change]);
  }
}

/** Intervals at 95 %, the percentile and the shares of six normal stages. */
function budget(): void {
  const cases: [sessions: number, traces: number, lengths: number, percentile: number, alike: readonly number[]][] = [
    [200, 1, 0, 95, [0]],
    [1000, 1, 0, 95, [0]],
    [200, 1, 0, 99, [0]],
    [200, 5, 0, 95, [0, 0.2, 0.5, 0.8]],
    [50, 20, 0, 95, [0, 0.2, 0.5, 0.8]],
    [20, 50, 0, 95, [0, 0.2, 0.5, 0.8]],
    [50, 20, 0.8, 95, [0.2, 0.5]],
    [100, 100, 0, 95, [0.2, 0.5, 0.8]],
  ];
  const head = [
    'traces',
    'p',
    'lengths',
    'icc',
    'p covered',
    'no upper end',
    'false pass',
    'what-if',
    'shares',
    'largest',
  ];
  print('budget: covered at 95 %', [...head, 'its bias']);
  for (const [sessions, traces, lengths, percentile, alike] of cases) {
    for (const each of alike) {
      const one: BudgetCase = { sessions, traces, lengths, percentile, alike: each };
      const times = Math.max(40, Math.round((replicates * 400) / Math.max(1000, sessions * traces)));
      const was = coverage(one, times, seed, { assumeIndependent: true });
      const now = coverage(one, times, seed);
      const change = (key: 'covered' | 'falsePass' | 'whatIf' | 'shares' | 'largest') =>
        `${percent(was[key])} -> ${percent(now[key])}`;
      const bias = `${now.largestBiasMs.toFixed(1)} ms`;
      const figures = [change('covered'), percent(now.open), change('falsePass'), change('whatIf'), change('shares')];
      row([
        `${sessions} x ${traces}`,
        `p${percentile}`,
        String(lengths),
        String(each),
        ...figures,
        change('largest'),
        bias,
      ]);
    }
  }
}

function print(title: string, head: readonly string[]): void {
  console.log(`\n${title} (${replicates} replicates, seed ${seed})\n`);
  row(head);
  row(head.map(() => '---'));
}

function row(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

function iccName(value: number): string {
  return `icc ${value}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}
