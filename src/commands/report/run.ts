import type { ExitCode } from '../../errors.ts';
import { SpeechfbError } from '../../errors.ts';
import { type DistributionName, distributionNames } from '../../metrics/definitions.ts';
import { histogramsReady } from '../../metrics/histogram.ts';
import { labelledLatencies, Recorder } from '../../metrics/recorder.ts';
import { hdrplotText } from '../../report/export/hdrplot.ts';
import { junitXml } from '../../report/export/junit.ts';
import { loadMarkdown } from '../../report/export/markdown.ts';
import { metricPoints } from '../../report/export/metric-points.ts';
import { prometheusText } from '../../report/export/prometheus-text.ts';
import { runJson, snakeCased } from '../../report/export/run-json.ts';
import { runsText } from '../../report/load/runs-text.ts';
import { loadTable } from '../../report/load/table.ts';
import { type RecordedRun, readRecordedRun, reportOf } from '../../results/recorded-run.ts';
import type { LoadReport } from '../../results/report.ts';
import { runDirectories } from '../../results/run-directories.ts';
import { runsReport } from '../../results/runs.ts';
import { didYouMean } from '../../suggest.ts';
import { printDocument, printJson } from '../output.ts';
import { exitCodeOf } from '../run-output/finish.ts';
import { printReport } from '../terminal.ts';
import type { ReportFlags } from './flags.ts';

/** Reads the run back, judges it anew, and writes it in the format asked for. */
export async function runReport(directory: string, flags: ReportFlags): Promise<ExitCode> {
  const metric = metricNamed(flags.metric);
  await histogramsReady();
  const several = runDirectories(directory);
  if (several.length > 0) return reportRuns(directory, several, flags.format);
  const run = readRecordedRun(directory);
  const report = reportOf(run);
  if (flags.format === 'table') printReport(report, loadTable);
  else if (flags.format === 'json') printJson(runJson(report));
  else printDocument(rendered(report, run, { format: flags.format, metric }));
  return exitCodeOf(report);
}

/** Prints the runs of `loadtest --runs` side by side. */
function reportRuns(directory: string, several: readonly string[], format: ReportFlags['format']): ExitCode {
  if (format !== 'table' && format !== 'json') {
    const message = `"${directory}" holds ${several.length} runs; as ${format} each is shown by itself`;
    throw new SpeechfbError('bad_flag', message, { hint: `name one of them: ${several[0]}` });
  }
  const reports = several.map((one) => reportOf(readRecordedRun(one)));
  const asked = ({ objectives }: LoadReport) => objectives.map(({ objective }) => objective).join('; ');
  const other = reports.findIndex((report) => asked(report) !== asked(reports[0]!));
  if (other > 0) {
    const message = `${several[other]} is not of one test with ${several[0]}: it judges ${asked(reports[other]!)} instead of ${asked(reports[0]!)}`;
    throw new SpeechfbError('bad_run', message, { hint: `name one of them: ${several[0]}` });
  }
  const runs = runsReport(reports, several);
  if (format === 'json') printJson(snakeCased(runs));
  else printReport(runs, runsText);
  return exitCodeOf(runs);
}

type Asked = { format: Exclude<ReportFlags['format'], 'table' | 'json'>; metric: DistributionName };

function rendered(report: LoadReport, run: RecordedRun, { format, metric }: Asked): string {
  switch (format) {
    case 'markdown':
      return loadMarkdown(report);
    case 'junit':
      return junitXml(report);
    case 'hdrplot':
      return withRecorder(run, (recorder) => {
        using whole = recorder.merged();
        return hdrplotText(metric, whole.distributions[metric]);
      });
    case 'prometheus':
      return withRecorder(run, (recorder) => prometheusText(metricPoints(report, labelledLatencies(recorder))));
  }
}

function withRecorder(run: RecordedRun, use: (recorder: Recorder) => string): string {
  using recorder = new Recorder(run.recording);
  return use(recorder);
}

function metricNamed(name: string): DistributionName {
  const found = distributionNames.find((one) => one === name);
  if (found) return found;
  const allowed = distributionNames.join(', ');
  const message = `--metric: "${name}" is no latency${didYouMean(name, distributionNames)}; allowed: ${allowed}`;
  throw new SpeechfbError('bad_flag', message);
}
