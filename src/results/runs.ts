import { type MeanInterval, meanInterval } from '../stats/student.ts';
import type { LoadReport } from './report.ts';

/** One scenario run several times: what each objective measured from run to run. */
export type RunsReport = {
  kind: 'LoadRuns';
  version: 1;
  scenario: string;
  runs: readonly { seed: number; planHash: string; verdict: LoadReport['verdict']; directory: string | undefined }[];
  /** Each objective's value: its mean over runs, with an interval at 95 % (Student). */
  objectives: readonly RunsObjective[];
  verdict: LoadReport['verdict'];
  interrupted: boolean;
};

export type RunsObjective = {
  objective: string;
  unit: LoadReport['objectives'][number]['unit'];
  /** One a run, in order; undefined: no data; Infinity: never came. */
  values: readonly (number | undefined)[];
  verdicts: readonly LoadReport['verdict'][];
  /** Undefined when a run has no finite value. */
  interval: MeanInterval | undefined;
};

/** What the runs say together: failed when one failed, else invalid when one was. */
export function runsReport(reports: readonly LoadReport[], directories: readonly (string | undefined)[]): RunsReport {
  const first = reports[0]!;
  return {
    kind: 'LoadRuns',
    version: 1,
    scenario: first.scenario.name,
    runs: reports.map(({ scenario, verdict }, i) => {
      const { seed, planHash } = scenario;
      return { seed, planHash, verdict, directory: directories[i] };
    }),
    objectives: first.objectives.map(({ objective, unit }, place) => {
      const values = reports.map((report) => report.objectives[place]!.value);
      const verdicts = reports.map((report) => report.objectives[place]!.verdict);
      return { objective, unit, values, verdicts, interval: intervalOf(values) };
    }),
    verdict: together(reports.map(({ verdict }) => verdict)),
    interrupted: reports.some(({ interrupted }) => interrupted),
  };
}

function intervalOf(values: readonly (number | undefined)[]): MeanInterval | undefined {
  const finite = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  return finite.length === values.length ? meanInterval(finite, 0.95) : undefined;
}

function together(verdicts: readonly LoadReport['verdict'][]): LoadReport['verdict'] {
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.includes('invalid') ? 'invalid' : 'pass';
}
