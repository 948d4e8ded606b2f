/**
 * How often the numbers hold when sessions are not independent: simulated load tests, budgets, comparisons and canaries whose
 * truth is known, as they are judged and as they were with every sample an observation of its own. Seeded; prints the tables of
 * docs/statistics.md. Run: npm run bench coverage [REPLICATES] [loadtest|shares|compare|canary|budget]
 */
import { type BudgetCase, coverage } from './coverage/budget.ts';
import { type CanaryCase, falseRollbacks } from './coverage/canary.ts';
import { type CompareCase, calledWorse } from './coverage/compare.ts';
import { falseProofs, type LoadtestCase } from './coverage/loadtest.ts';

const replicates = Number(process.argv[2] ?? 1000);
const seed = 20;
const icc = [0, 0.1, 0.3, 0.5, 0.7, 0.9];

const tables = { loadtest, shares, compare, canary, budget };
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
}

/** The same of shares, of which a replicate is soon drawn. */
function shares(): void {
  const times = 10 * replicates;
  const columns: [name: string, kind: LoadtestCase['kind'], alike: number][] = [
    ...[0, 0.5, 1, 2].map((sd) => [`sd ${sd}`, 'share', sd] as [string, 'share', number]),
    ...[0.1, 0.3, 0.8].map((each) => [iccName(each), 'beta-share', each] as [string, 'beta-share', number]),
  ];
  const rows: [missShare: number, counts: readonly number[], lengths: readonly number[]][] = [
    [0.05, [50, 200, 500], [0, 1.2]],
    [0.01, [20, 30, 50, 100, 200, 500], [0, 0.6, 1.2]],
    [0.001, [50, 200, 500], [0, 1.2]],
  ];
  const head = ['objective', 'sessions', 'lengths', ...columns.map(([name]) => name)];
  print('loadtest, shares: falsely proven at the bound', head, times);
  for (const [missShare, counts, lengths] of rows) {
    for (const [sessions, length] of counts.flatMap((count) => lengths.map((each) => [count, each] as const))) {
      const cells = columns.map(([, kind, alike]) => {
        const one: LoadtestCase = { kind, missShare, sessions, samples: 200, alike, lengths: length };
        const { bySamples, bySessions } = falseProofs(one, times, seed);
        return `${percent(bySamples)} -> ${percent(bySessions)}`;
      });
      row([`${Number((100 * (1 - missShare)).toFixed(1))} %`, `${sessions} x 200`, String(length), ...cells]);
    }
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

/** Intervals at 95 %, the percentile and the shares of six normal stages; as many replicates as there is time for traces. */
function budget(): void {
  const cases: (Omit<BudgetCase, 'alike'> & { alike: readonly number[] })[] = [
    { sessions: 200, traces: 1, lengths: 0, percentile: 95, alike: [0] },
    { sessions: 1000, traces: 1, lengths: 0, percentile: 95, alike: [0] },
    { sessions: 200, traces: 1, lengths: 0, percentile: 99, alike: [0] },
    { sessions: 400, traces: 1, lengths: 0, percentile: 99, alike: [0] },
    { sessions: 200, traces: 5, lengths: 0, percentile: 95, alike: [0, 0.2, 0.5, 0.8] },
    { sessions: 50, traces: 20, lengths: 0, percentile: 95, alike: [0, 0.2, 0.5, 0.8] },
    { sessions: 20, traces: 50, lengths: 0, percentile: 95, alike: [0, 0.2, 0.5, 0.8] },
    { sessions: 50, traces: 20, lengths: 0.8, percentile: 95, alike: [0, 0.2, 0.5, 0.8] },
    { sessions: 50, traces: 20, lengths: 0, percentile: 95, alike: [0.8], alikeIn: 'largest' },
    { sessions: 50, traces: 20, lengths: 0, percentile: 95, alike: [0.8], alikeIn: 'others' },
    { sessions: 100, traces: 100, lengths: 0, percentile: 95, alike: [0.2, 0.5, 0.8] },
  ];
  const head = ['traces', 'p', 'lengths', 'icc', 'p covered', 'no upper end', 'false pass', 'what-if', 'group'];
  print('budget: covered at 95 %', [...head, 'shares', 'largest', 'its bias', "a group's largest"]);
  for (const { alike, ...rest } of cases) {
    for (const each of alike) {
      const one: BudgetCase = { ...rest, alike: each };
      const { sessions, traces, percentile, lengths, alikeIn } = one;
      const sharesOf = Math.max(40, Math.round((replicates * 1000) / Math.max(1000, sessions * traces)));
      const times = 4 * sharesOf;
      const was = coverage(one, sharesOf, seed, { assumeIndependent: true, sharesOf: Math.ceil(sharesOf / 4) });
      const now = coverage(one, times, seed, { sharesOf });
      const change = (key: 'covered' | 'falsePass' | 'whatIf' | 'shares' | 'largest' | 'group' | 'groupLargest') =>
        `${percent(was[key])} -> ${percent(now[key])}`;
      const bias = `${now.largestBiasMs.toFixed(1)} ms`;
      const ofPercentile = [
        change('covered'),
        percent(now.open),
        change('falsePass'),
        change('whatIf'),
        change('group'),
      ];
      const icc = alikeIn === undefined ? String(each) : `${each} of ${alikeIn}`;
      row([
        ...[`${sessions} x ${traces}`, `p${percentile}`, String(lengths), icc],
        ...ofPercentile,
        ...[change('shares'), change('largest'), bias, change('groupLargest')],
      ]);
    }
  }
}

function print(title: string, head: readonly string[], times = replicates): void {
  console.log(`\n${title} (${times} replicates, seed ${seed})\n`);
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
