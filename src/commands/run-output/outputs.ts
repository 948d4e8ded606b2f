import { appendFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SpeechfbError } from '../../errors.ts';
import { jsonText } from '../../json-text.ts';
import type { LoadOutcome } from '../../load/run.ts';
import { histogramsReady } from '../../metrics/histogram.ts';
import { labelledLatencies, Recorder } from '../../metrics/recorder.ts';
import { taggedHistograms } from '../../metrics/tagged-histograms.ts';
import { makeDirectory, whyUnwritable } from '../../report/export/make-directory.ts';
import { loadMarkdown } from '../../report/export/markdown.ts';
import { metricPoints } from '../../report/export/metric-points.ts';
import { otlpMetrics } from '../../report/export/otlp-metrics.ts';
import { prometheusText } from '../../report/export/prometheus-text.ts';
import { writeRunDirectory } from '../../report/export/run-directory.ts';
import { encodeRun } from '../../results/recorded-run.ts';
import { forgetEarlier } from '../../results/run-directories.ts';
import { otlpTarget, push, pushgatewayTarget } from '../../telemetry/push.ts';
import { say, sayError } from '../output.ts';

export type OutputFlags = { out?: string; pushPrometheus?: string; otlp?: string };

/** Throws for a flag that names no place to write or send to, before anything runs. */
export function checkOutputs({ out, pushPrometheus, otlp }: OutputFlags): void {
  if (out === '') throw new SpeechfbError('bad_flag', '--out: is empty; name a directory');
  const why = out === undefined ? undefined : whyUnwritable(out);
  if (why !== undefined)
    throw new SpeechfbError('output_unwritable', `--out: results cannot be written to "${out}": ${why}`);
  if (pushPrometheus !== undefined) pushgatewayTarget(pushPrometheus, 'x');
  if (otlp !== undefined) otlpTarget(otlp);
}

/**
 * Everything that a run leaves behind besides its table: the run directory, the job summary of
 * GitHub Actions, metrics. Each is tried whatever became of the others; what was lost is said on
 * stderr. True when nothing was.
 */
export async function writeOutputs({ report, run, serviceLog }: LoadOutcome, flags: OutputFlags): Promise<boolean> {
  const { out, pushPrometheus, otlp } = flags;
  const summary = process.env.GITHUB_STEP_SUMMARY;
  await histogramsReady();
  using recorder = new Recorder(run.recording);
  using whole = recorder.merged();
  const points = () => metricPoints(report, labelledLatencies(recorder));
  const tries: [string, () => void | Promise<void>][] = [];
  if (out !== undefined) {
    const details = {
      histograms: taggedHistograms(recorder),
      feedbackLatency: whole.distributions.feedback_latency,
      traces: run.traces,
      recording: encodeRun(run),
      ...(serviceLog !== undefined && { serviceLog }),
    };
    const write = () => {
      forgetEarlier(out);
      writeRunDirectory(out, report, details);
    };
    tries.push([`results are in ${out}`, write]);
  }
  if (summary) {
    tries.push(['the job summary has the report', () => appendFileSync(summary, loadMarkdown(report))]);
  }
  if (pushPrometheus !== undefined) {
    const target = pushgatewayTarget(pushPrometheus, report.scenario.name);
    tries.push([`metrics are at ${target.url}`, () => push(target, prometheusText(points()))]);
  }
  if (otlp !== undefined) {
    const target = otlpTarget(otlp);
    const from = { ...report, version: report.speechfbVersion };
    tries.push([`metrics went to ${target.url}`, () => push(target, jsonText(otlpMetrics(points(), from), 0))]);
  }
  let complete = true;
  for (const [done, write] of tries) complete = (await attempt(done, write)) && complete;
  return complete;
}

/**
 * Writes a result besides those of one run; what is lost is said on stderr. True when it was not.
 */
export async function writeResult(file: string, value: object): Promise<boolean> {
  return await attempt(`results are in ${file}`, () => {
    makeDirectory(dirname(file));
    try {
      writeFileSync(file, jsonText(value));
    } catch (error) {
      // Half a file reads like a whole one.
      if (statSync(file, { throwIfNoEntry: false })?.isFile()) rmSync(file, { force: true });
      throw error;
    }
  });
}

async function attempt(done: string, write: () => void | Promise<void>): Promise<boolean> {
  try {
    await write();
    say(done);
    return true;
  } catch (error) {
    const lost =
      error instanceof SpeechfbError
        ? error
        : new SpeechfbError('output_unwritable', `a result is lost: ${(error as Error).message}`);
    sayError(lost);
    return false;
  }
}
