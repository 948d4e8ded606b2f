import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkWordEnds, withWordEnds } from '../../src/commands/loadtest/word-ends.ts';
import { formatError, SpeechfbError } from '../../src/errors.ts';
import { prepareLoad } from '../../src/load/scenario/prepare.ts';
import { readScenario } from '../../src/load/scenario/scenario.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const fixtures = 'fixtures/audio';
const shipped = readFileSync(join(fixtures, 'manifest.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Line => JSON.parse(line))
  .filter(({ kind }) => kind === 'speech');

type Line = {
  id: string;
  audio: string;
  text: string;
  kind?: string;
  words?: { text: string; end_ms: number | null }[];
};

const asked = 'p95(word_latency) < 500ms';

/** A prepared test of these clips in a folder of its own. */
function ready(lines: readonly Partial<Line>[], { language = 'en-US', objective = asked } = {}) {
  const folder = temporaryDirectory();
  for (const { audio } of lines) copyFileSync(join(fixtures, audio!), join(folder, audio!));
  const scenario = join(folder, 'scenario.yaml');
  const rewrite = (now: readonly Partial<Line>[]) =>
    writeFileSync(join(folder, 'clips.jsonl'), now.map((line) => `${JSON.stringify(line)}\n`).join(''));
  rewrite(lines);
  writeFileSync(
    scenario,
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: words }
spec:
  learners: { clips: clips.jsonl, language: ${language} }
  load: { learners: 2 }
  duration: 10s
  objectives: ['${objective}']
`,
  );
  const prepare = () => {
    const read = readScenario(scenario);
    return { scenario: read, prepared: prepareLoad(read), startAtEpochMs: undefined };
  };
  return { folder, prepare, rewrite, kept: join(folder, 'clips.words.jsonl') };
}

async function found(
  test: ReturnType<ReturnType<typeof ready>['prepare']>,
  cache: string | undefined = '/dev/null/no',
) {
  const phases: string[] = [];
  const signal = new AbortController().signal;
  const { clips } = await withWordEnds(test, { onPhase: (phase) => phases.push(phase), signal }, cache);
  return { phases, words: clips.map(({ words }) => words) };
}

function withoutWords({ words: _, ...line }: Line): Line {
  return line;
}

function said(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(SpeechfbError);
    return formatError(error as SpeechfbError);
  }
  return 'nothing';
}

describe('the ends of words', () => {
  it('that ship with the recordings are those that the shipped model finds', async () => {
    const { prepare } = ready(shipped.map(withoutWords));
    const { words, phases } = await found(prepare());
    expect(phases).toEqual([expect.stringContaining('finding where the words of 14 clips of ')]);
    expect(words.map((own) => own?.map(({ text, endMs }) => ({ text, end_ms: endMs })))).toEqual(
      shipped.map((line) => line.words),
    );
  });

  it('are found once: by the content of clip and text, they are kept beside the manifest', async () => {
    const [one, other] = [withoutWords(shipped[12]!), withoutWords(shipped[6]!)];
    const { prepare, rewrite, kept } = ready([one, other]);
    const first = await found(prepare());
    expect(readFileSync(kept, 'utf8').trim().split('\n')).toHaveLength(2);
    expect(await found(prepare())).toEqual({ words: first.words, phases: [] });
    rewrite([one, { ...other, text: 'The conference is being recorded.' }]);
    const changed = await found(prepare());
    expect(changed.phases).toEqual([expect.stringContaining('words of 1 clip of')]);
    expect(changed.words[0]).toEqual(first.words[0]);
    expect(changed.words[1]).toHaveLength(5);
    writeFileSync(kept, 'not ours\n{"id": 7}\n');
    expect((await found(prepare())).words).toEqual(changed.words);
  });

  it('are found even where they cannot be kept, which is said', async () => {
    const { prepare, kept } = ready([withoutWords(shipped[12]!)]);
    mkdirSync(kept);
    const { words, phases } = await found(prepare());
    expect(words[0]).toHaveLength(6);
    expect(phases[1]).toMatch(/^word ends are found again next time: .*clips\.words\.jsonl cannot be written: E/);
    expect(phases[1]).toMatch(/, and .*\.words\.jsonl cannot be written: E/);
  });

  it("are kept in the user's cache where nothing can be written beside the manifest", async () => {
    const { prepare, kept, folder } = ready([withoutWords(shipped[12]!)]);
    mkdirSync(kept);
    const cache = join(folder, 'cache', 'speechfb');
    const first = await found(prepare(), cache);
    expect(first.phases).toHaveLength(1);
    expect(await found(prepare(), cache)).toEqual({ words: first.words, phases: [] });
    // Nothing half written is left there.
    expect(readdirSync(cache)).toEqual([expect.stringMatching(/^[\da-f]{16}\.words\.jsonl$/)]);
  });

  it('of two load tests that run at once are all kept', async () => {
    const [one, other] = [withoutWords(shipped[12]!), withoutWords(shipped[6]!)];
    const { prepare, kept, rewrite } = ready([one, other]);
    rewrite([one]);
    const first = prepare();
    rewrite([other]);
    const second = prepare();
    await Promise.all([found(first), found(second)]);
    const ids = readFileSync(kept, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids.sort()).toEqual([one.id, other.id].sort());
  });

  it('are not looked for when no objective is on them', async () => {
    const { prepare } = ready([withoutWords(shipped[12]!)], { objective: 'p95(feedback_latency) < 500ms' });
    expect(await found(prepare())).toEqual({ words: [undefined], phases: [] });
  });

  it('are found without being asked for where the server speaks another protocol, and else left unknown', async () => {
    const [one, other] = [withoutWords(shipped[12]!), { ...withoutWords(shipped[6]!), text: 'Открыть' }];
    const { prepare } = ready([one, other], { objective: 'wer < 10%' });
    const { scenario, ...rest } = prepare();
    const dialect = { kind: 'deepgram', options: { sampleRateHz: 16_000, query: {} } } as const;
    const { words } = await found({ ...rest, scenario: { ...scenario, dialect } });
    expect(words.map((own) => own?.length)).toEqual([6, undefined]);
  });

  it('of a text that cannot be read in English are an error that names the clip', async () => {
    const { prepare } = ready([{ ...withoutWords(shipped[12]!), text: 'Открыть' }]);
    await expect(found(prepare())).rejects.toThrow('clip "unlock" cannot be aligned: ');
  });

  it('of another language must be given', () => {
    const { prepare } = ready([withoutWords(shipped[12]!)], { language: 'de-DE' });
    expect(said(() => checkWordEnds(prepare()))).toContain(
      'scenario.yaml:8:16: spec.objectives.0: needs the ends of words, which are found in English alone; clip "unlock" is de-DE',
    );
    expect(said(() => checkWordEnds(ready([shipped[12]!], { language: 'de-DE' }).prepare()))).toBe('nothing');
  });

  it.each<[string, (words: NonNullable<Line['words']>) => NonNullable<Line['words']>, string]>([
    ['one too few', (words) => words.slice(0, -1), 'words.5 is nothing, but the text is read as "conference" there'],
    [
      'one too many',
      (words) => [...words, { text: 'x', end_ms: null }],
      'words.6 is "x", but the text is read as nothing',
    ],
    [
      'another',
      ([, ...rest]) => [{ text: 'Two', end_ms: 1 }, ...rest],
      'words.0 is "Two", but the text is read as "To"',
    ],
  ])('that are given for %s word are refused', (_, change, sentence) => {
    const line = shipped[12]!;
    const { prepare } = ready([{ ...line, words: change(line.words!) }]);
    const message = said(() => checkWordEnds(prepare()));
    expect(message).toContain(`clip "unlock": ${sentence}`);
    expect(message).toContain('[bad_manifest]');
  });
});
