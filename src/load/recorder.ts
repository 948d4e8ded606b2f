import { type Stage, stages } from '../protocol/stages.ts';
import { type CountName, countNames, type DistributionName, distributionNames } from '../slo/metrics.ts';
import { type EncodedHistogram, LatencyHistogram } from './histogram.ts';

/** Stages as a report shows them: those of the wire, what the generator itself was late, and what nobody claims. */
export const reportStages = [...stages, 'late_send', 'unattributed'] as const satisfies readonly (
  | Stage
  | 'late_send'
  | 'unattributed'
)[];
export type ReportStage = (typeof reportStages)[number];

export type Tally = Record<CountName | 'frames_sent' | 'events' | 'sessions' | 'sessions_ok' | 'utterances', number>;

/** Everything one shard measured, in a form that crosses a thread and adds up with others'. */
export type Recording = {
  distributions: Record<DistributionName, EncodedHistogram>;
  stages: Record<ReportStage, EncodedHistogram>;
  tally: Tally;
};

/** What learners write into while a test runs. */
export class Recorder {
  readonly distributions = each(distributionNames, () => new LatencyHistogram());
  readonly stages = each(reportStages, () => new LatencyHistogram());
  readonly tally: Tally = each(tallyNames, () => 0);

  encode(): Recording {
    return {
      distributions: each(distributionNames, (name) => this.distributions[name].encode()),
      stages: each(reportStages, (name) => this.stages[name].encode()),
      tally: { ...this.tally },
    };
  }

  /** Adds what another recorder encoded; exact. */
  add(recording: Recording): void {
    for (const name of distributionNames) addEncoded(this.distributions[name], recording.distributions[name]);
    for (const name of reportStages) addEncoded(this.stages[name], recording.stages[name]);
    for (const name of tallyNames) this.tally[name] += recording.tally[name];
  }

  destroy(): void {
    for (const name of distributionNames) this.distributions[name].destroy();
    for (const name of reportStages) this.stages[name].destroy();
  }
}

/** The histograms of a recording as a log holds them: by metric, and by stage with `stage.` before its name. */
export function taggedHistograms({ distributions, stages }: Recording): { tag: string; hdr: string; maxMs: number }[] {
  const entries = [
    ...Object.entries(distributions),
    ...Object.entries(stages).map(([name, encoded]) => [`stage.${name}`, encoded] as const),
  ];
  return entries.map(([tag, encoded]) => {
    const histogram = new LatencyHistogram({ ...encoded, never: 0 });
    const maxMs = histogram.samples === 0 ? 0 : histogram.valueAtRank(histogram.samples);
    histogram.destroy();
    return { tag, hdr: encoded.hdr, maxMs };
  });
}

const tallyNames = [
  ...countNames,
  'frames_sent',
  'events',
  'sessions',
  'sessions_ok',
  'utterances',
] as const satisfies readonly (keyof Tally)[];

function addEncoded(into: LatencyHistogram, encoded: EncodedHistogram): void {
  const other = new LatencyHistogram(encoded);
  into.add(other);
  other.destroy();
}

function each<N extends string, V>(names: readonly N[], make: (name: N) => V): Record<N, V> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<N, V>;
}
