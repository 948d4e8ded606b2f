import { basename } from 'node:path';
import { createInlineEngine } from '../../acoustic/engine/inline-engine.ts';
import type { AcousticEngine, LostDevice } from '../../acoustic/engine/types.ts';
import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import { parseDevice } from '../../acoustic/onnx/device.ts';
import { installNative } from '../../acoustic/onnx/runtime.ts';
import { SpeechfbError } from '../../errors.ts';
import { flag, wholeNumber } from '../../flag.ts';
import { formatMs } from '../../format.ts';
import type { UtteranceResult } from '../../protocol/result.ts';
import { renderScore } from '../../report/score/score-table.ts';
import { scoreManifest } from '../../scoring/manifest.ts';
import { type ScoredFile, scoreFile } from '../../scoring/score-file.ts';
import { type ReferenceSource, resolveReference } from '../../scoring/text/reference.ts';
import { calibratorOf } from '../../scoring/utterance-scorer.ts';
import { warmUp } from '../../scoring/warm-up.ts';
import { printJson, say } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { ScoreFlags } from './flags.ts';

/**
 * Does what `score` was asked; false when lines of a manifest could not be scored (they are on
 * stderr).
 */
export async function runScore(files: readonly string[], flags: ScoreFlags): Promise<boolean> {
  const sources = flags.manifest === undefined ? sourcesOf(files, flags) : [];
  if (flags.manifest !== undefined) checkManifestFlags(files, flags);
  const nbest = flag('--nbest', wholeNumber(0, 39))(flags.nbest);
  // References are checked before the model is loaded: a typo is told at once.
  const references = sources.map((source) => resolveReference(source));
  const engine = await createInlineEngine({
    model: loadModelPackage(flags.model),
    device: parseDevice(flags.device),
  });
  // Read with the model, not while the first file is scored.
  calibratorOf(engine.model);
  try {
    if (flags.timings) await warmUp(engine);
    if (flags.timings && engine.whyNotNative !== undefined) say(wasmLine(engine.whyNotNative));
    if (flags.manifest !== undefined) return await runManifest(engine, flags.manifest, flags.out!, flags);
    const scored: ScoredFile[] = [];
    for (const [index, file] of files.entries()) {
      const one = await scoreFile(engine, file, references[index]!, { nbest });
      scored.push(one);
      for (const note of one.notes) say(`${basename(file)}: ${note}`);
      if (!flags.json) printScore(basename(file), one.result);
      if (flags.timings) say(timingLine(file, one, engine.provider));
    }
    if (flags.json) printJson(document(engine, files, scored));
    return true;
  } finally {
    if (engine.lostDevice) say(lostLine(engine.lostDevice));
    await engine.close();
  }
}

async function runManifest(engine: AcousticEngine, input: string, output: string, flags: ScoreFlags): Promise<boolean> {
  const run = await scoreManifest(engine, input, output, { features: flags.features === true });
  for (const problem of run.problems) say(`${problem.where}: ${problem.message}`);
  const speed = run.wallMs > 0 ? run.audioMs / run.wallMs : 0;
  const failed = run.failed > 0 ? `, ${run.failed} could not be` : '';
  say(
    `${run.scored} utterances scored${failed}: ${formatMs(run.audioMs)} of audio in ${formatMs(run.wallMs)}, ` +
      `${speed.toFixed(0)}x real time on ${engine.provider}; results in ${output}`,
  );
  return run.problems.length === 0;
}

function checkManifestFlags(files: readonly string[], flags: ScoreFlags): void {
  if (flags.out === undefined) throw usage('--manifest needs --out FILE for its results');
  if (files.length > 0) throw usage(`--manifest takes no files of its own; got "${files[0]}"`);
  if (flags.text.length + flags.phones.length > 0) throw usage('with --manifest the text stands in each line');
}

/** What was read in each file. */
function sourcesOf(files: readonly string[], flags: ScoreFlags): ReferenceSource[] {
  if (files.length === 0) throw usage('no files to score', 'speechfb score clip.wav --text "What was read."');
  if (flags.out !== undefined || flags.features) throw usage('--out and --features go with --manifest');
  if (flags.text.length > 0 && flags.phones.length > 0) throw usage('give either --text or --phones');
  const given: ReferenceSource[] = flags.text.map((text) => ({ text }));
  given.push(...flags.phones.map(parsePhones));
  if (given.length === 0) throw usage('what was read is not given', 'add --text "What was read."');
  if (given.length !== 1 && given.length !== files.length) {
    throw usage(`${given.length} texts for ${files.length} files; give one for all, or one for each in their order`);
  }
  return files.map((_, index) => given[given.length === 1 ? 0 : index]!);
}

function parsePhones(text: string): ReferenceSource {
  const words = text.split('|').map((word) => word.trim().split(/\s+/).filter(Boolean));
  return { words: words.map((phones) => ({ text: phones.join('-').toLowerCase(), phones })) };
}

function usage(message: string, hint?: string): SpeechfbError {
  return new SpeechfbError('bad_usage', message, hint === undefined ? {} : { hint });
}

function printScore(title: string, result: UtteranceResult): void {
  printReport({ title, result }, (shown, paint) => `${renderScore(shown.title, shown.result, paint)}\n`);
}

/** The document of `--json`: schemas/pronunciation.schema.json. */
function document(engine: AcousticEngine, files: readonly string[], scored: readonly ScoredFile[]): object {
  const { name, version } = engine.model;
  return {
    model: { name, version, provider: engine.provider, calibration: calibratorOf(engine.model).name },
    files: scored.map(({ result, audioMs, notes }, index) => ({
      file: files[index],
      audio_ms: audioMs,
      ...(notes.length > 0 && { notes }),
      ...result,
    })),
  };
}

function lostLine({ device, reason }: LostDevice): string {
  return `${device} was lost, and the same network went on on the CPU: ${reason}`;
}

function wasmLine(whyNotNative: string): string {
  return `the model runs as WebAssembly, for ${whyNotNative}: ${installNative}`;
}

function timingLine(file: string, { timing, audioMs }: ScoredFile, provider: string): string {
  const stages = { read: timing.read, features: timing.features, asr: timing.asr, scoring: timing.scoring };
  const parts = Object.entries(stages).map(([stage, ms]) => `${stage} ${formatMs(ms ?? 0)}`);
  const speed = audioMs / timing.total;
  return `${basename(file)}: ${formatMs(audioMs)} of audio in ${formatMs(timing.total)}, ${speed.toFixed(0)}x real time on ${provider} (${parts.join(', ')})`;
}
