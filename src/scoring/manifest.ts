import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { AcousticEngine } from '../acoustic/engine/types.ts';
import { lineProblems, parseJsonLine, readLines } from '../config/json-lines.ts';
import { type Problem, SpeechfbError } from '../errors.ts';
import { fileTrouble } from '../file-trouble.ts';
import { jsonText } from '../json-text.ts';
import { readClipWords } from './clip-words.ts';
import { type ScoredFile, scoreFile } from './score-file.ts';
import { type ReferenceSource, resolveReference } from './text/reference.ts';

/**
 * One line of a manifest: an utterance and what should have been read, as text or as words with
 * phones. Other keys are the caller's own (speaker, scores) and are passed over.
 */
const manifestLine = z.object({
  id: z.union([z.string().min(1), z.number()]),
  audio: z.string().min(1),
  text: z.string().optional(),
  words: z.array(z.looseObject({ text: z.string(), phones: z.array(z.string()).min(1).optional() })).optional(),
});

type ManifestLine = z.infer<typeof manifestLine>;

/** `failed`: lines that could not be scored, of which one may have several problems. */
export type ManifestRun = { scored: number; failed: number; audioMs: number; wallMs: number; problems: Problem[] };

/**
 * Scores every line of the JSON-lines file `input` and writes one line each to `output`, in order:
 * `{id, words: [{text, phones, scores, scores_in_context, gop}]}`, scores 0-2, null where audio was
 * lost or nobody speaks; of words left out in a reading, what experts give those on average. Audio
 * paths are relative to the manifest, those of `-` (the standard input) to the working directory. A
 * line that cannot be scored becomes a problem with its `file:line` and the others still run.
 *
 * @param options.features Also write each phone's feature vector and segment (for fitting a
 *   calibration).
 * @throws SpeechfbError `unreadable_file`, `bad_manifest`, `output_unwritable`
 */
export async function scoreManifest(
  engine: AcousticEngine,
  input: string,
  output: string,
  options: { features: boolean; onProgress?(run: ManifestRun): void },
): Promise<ManifestRun> {
  const run: ManifestRun = { scored: 0, failed: 0, audioMs: 0, wallMs: 0, problems: [] };
  const begun = performance.now();
  const lines = readLines(input, 'manifest');
  // The first line is read before the output is touched: a manifest that cannot be read leaves no
  // empty file.
  let next = await lines.next();
  const sink = await open(output, 'w').catch((cause) => fail(output, cause));
  try {
    for (; !next.done; next = await lines.next()) {
      const { line, text } = next.value;
      const outcome = await scoreLine(engine, input, text).catch((error) =>
        problemsOf(error, `${input}:${line}`, text),
      );
      if (Array.isArray(outcome)) {
        run.problems.push(...outcome);
        run.failed++;
      } else {
        const { id, scored } = outcome;
        const result = `${jsonText({ id, ...row(scored, options.features) }, 0)}\n`;
        await sink.appendFile(result).catch((cause) => fail(output, cause));
        run.scored++;
        run.audioMs += scored.audioMs;
      }
      run.wallMs = performance.now() - begun;
      options.onProgress?.(run);
    }
  } finally {
    await sink.close();
  }
  if (run.scored === 0 && run.problems.length === 0) throw new SpeechfbError('bad_manifest', `${input} holds no line`);
  return run;
}

function fail(output: string, cause: NodeJS.ErrnoException): never {
  throw new SpeechfbError('output_unwritable', `${output} cannot be written: ${fileTrouble(cause)}`, { cause });
}

/** What keeps one line from being scored; a bug of ours is thrown on. */
function problemsOf(error: unknown, line: string, text: string): Problem[] {
  if (!(error instanceof SpeechfbError)) throw error;
  const tagged = (message: string) => `${message} [${error.code}]`;
  if (error.code === 'bad_manifest')
    return lineProblems(error, line, text).map(({ where = line, message }) => ({ where, message: tagged(message) }));
  const details = error.problems.map((problem) => `; ${problem.where ?? ''} ${problem.message}`).join('');
  return [{ where: line, message: tagged(`${error.message}${details}`) }];
}

async function scoreLine(
  engine: AcousticEngine,
  manifest: string,
  text: string,
): Promise<{ id: string | number; scored: ScoredFile }> {
  const line = parseLine(text);
  const { id, audio, words } = line;
  const reference = resolveReference(sourceOf(line));
  const file = resolve(manifest === '-' ? '.' : dirname(manifest), audio);
  const scored = await scoreFile(engine, file, reference, { nbest: 0 });
  // Nothing here needs the times, but a load test of the same manifest would refuse them.
  readClipWords(words, scored.audioMs);
  return { id, scored };
}

/**
 * Words without phones, such as those that carry times for `loadtest`, say no more than the text.
 */
function sourceOf({ words = [], text = '' }: ManifestLine): ReferenceSource {
  const given = words.flatMap((word) => (word.phones ? [{ text: word.text, phones: word.phones }] : []));
  return given.length > 0 && given.length === words.length ? { words: given } : { text };
}

function parseLine(text: string): ManifestLine {
  const parsed = parseJsonLine(text, manifestLine);
  if ('problem' in parsed) {
    throw new SpeechfbError('bad_manifest', `${parsed.problem}; a line is {"id", "audio", "text" or "words"}`);
  }
  if (parsed.value.text === undefined && !parsed.value.words?.every(({ phones }) => phones)) {
    throw new SpeechfbError('bad_manifest', 'neither "text" nor "words" says what should have been read');
  }
  return parsed.value;
}

function row({ result, evidence }: ScoredFile, features: boolean): object {
  const isSpoken = result.heard !== 'nothing';
  const words = evidence.map((phones, word) => ({
    text: result.words[word]!.text,
    phones: phones.map((phone) => phone.result.phoneme),
    scores: phones.map((phone) => (isSpoken ? rounded(phone.score) : null)),
    scores_in_context: phones.map((phone) => (isSpoken ? rounded(phone.scoreInContext) : null)),
    gop: phones.map((phone) => (isSpoken ? rounded(phone.result.gop) : null)),
    ...(features && {
      segments: phones.map((phone) => [phone.start, phone.end]),
      features: phones.map((phone) => phone.features && Array.from(phone.features, rounded)),
    }),
  }));
  return { words };
}

function rounded<T extends number | null>(value: T): T {
  return (value === null ? null : Math.round(value * 1e5) / 1e5) as T;
}
