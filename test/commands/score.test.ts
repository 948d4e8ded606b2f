import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { captureOutput } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const fixtures = resolve(import.meta.dirname, '../../fixtures/audio');
const clip = join(fixtures, 'leader.wav');
const shippedManifest = join(fixtures, 'manifest.jsonl');
const text = 'The conference will begin when the leader arrives.';
const schema = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../schemas/pronunciation.schema.json'), 'utf8'),
);

const folder = temporaryDirectory();
const output = captureOutput();
const run = (...args: string[]) => main(['score', ...args]);

describe('speechfb score FILE --text', () => {
  it('prints a table without colour when piped', async () => {
    expect(await run(clip, '--text', text, '--timings')).toBe(0);
    expect(output.stdout).toContain('leader.wav');
    expect(output.stdout).toMatch(/^conference +\d+ +\d\.\d\d-\d\.\d\d +K \d+/m);
    expect(output.stdout).toMatch(/pronunciation \d+ {3}accuracy \d+ {3}fluency \d+ {3}completeness 100/);
    expect(output.stdout).not.toContain('\u001b');
    expect(output.stderr).toMatch(/x real time on cpu \(read .*, features .*, asr .*, scoring .*\)/);
  });

  it('marks the wrong phones of a wrong word', async () => {
    expect(await run(clip, '--json', '--text', text.replace('leader', 'cucumber'))).toBe(0);
    const word = JSON.parse(output.stdout).files[0].words[6];
    const right = JSON.parse(output.stdout).files[0].words[3];
    expect(word.accuracy).toBeLessThan(right.accuracy - 20);
    const wrong = word.phonemes.filter((phone: { error_type: string }) => phone.error_type !== 'none');
    expect(wrong.length).toBeGreaterThanOrEqual(word.phonemes.length / 2);
  });

  it('prints JSON that fits the published schema, for one file and several, with and without sound', async () => {
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
    const files = ['leader.wav', 'silence.wav', 'noise.wav', 'rate-8k.wav', 'stereo-48k.wav', 'clipped.wav'];
    expect(await run(...files.map((file) => join(fixtures, file)), '--text', text, '--json')).toBe(0);
    const document = JSON.parse(output.stdout);
    validate(document);
    expect(validate.errors).toBeNull();
    expect(document.files).toHaveLength(files.length);
    const nothing = document.files[1];
    expect(nothing.scores).toMatchObject({ completeness: 0, fluency: null, pronunciation: null });
    expect(nothing.deviations).toMatchObject([{ kind: 'skipped', first_word: 0, last_word: 7 }]);
  });

  it('takes phones, and one text for each file', async () => {
    expect(await run(clip, '--phones', 'DH AH0 | K AA1 N F R AH0 N S', '--json')).toBe(0);
    expect(JSON.parse(output.stdout).files[0].words.map((word: { text: string }) => word.text)).toEqual([
      'dh-ah0',
      'k-aa1-n-f-r-ah0-n-s',
    ]);
    output.stdout = '';
    expect(await run(clip, clip, '--text', text, '--text', 'Something else', '--json')).toBe(0);
    expect(JSON.parse(output.stdout).files.map((file: { words: unknown[] }) => file.words.length)).toEqual([8, 2]);
  });

  it.each([
    [[], 'no files to score'],
    [[clip], 'what was read is not given'],
    [[clip, '--text', '...'], 'has no words'],
    [[clip, '--text', 'привет'], 'outside English'],
    [[clip, '--phones', 'HH QQ'], 'unknown phones: QQ in "hh-qq"'],
    [[clip, '--text', 'a', '--phones', 'AH'], 'either --text or --phones'],
    [[clip, clip, '--text', 'a', '--text', 'b', '--text', 'c'], '3 texts for 2 files'],
    [[clip, '--text', 'a', '--nbest', '-1'], '--nbest: "-1"'],
    [[clip, '--text', 'a', '--device', 'abacus'], '"abacus"'],
    [[clip, '--text', 'a', '--model', '/nowhere'], '/nowhere'],
    [['missing.wav', '--text', 'a'], 'missing.wav'],
    [['--manifest', 'in.jsonl'], '--manifest needs --out'],
    [
      ['--manifest', 'nowhere.jsonl', '--out', join(folder, 'x.jsonl')],
      'cannot read the manifest "nowhere.jsonl": there is no such file',
    ],
    [['--manifest', folder, '--out', join(folder, 'x.jsonl')], 'it is a directory'],
    [['--manifest', '/dev/null', '--out', join(folder, 'x.jsonl')], '/dev/null holds no line'],
    [['--manifest', shippedManifest, '--out', '/dev/full'], '/dev/full cannot be written: the disk is full'],
    [['--manifest', shippedManifest, '--out', folder], 'cannot be written: it is a directory'],
    [[clip, '--text', 'a', '--features'], 'go with --manifest'],
  ])('refuses %j', async (args, message) => {
    expect(await run(...args)).toBe(2);
    expect(output.stderr).toContain(message);
    expect(output.stdout).toBe('');
  });
});

describe('speechfb score of a text as people type it', () => {
  it.each([
    ['I\u00b4m sorry, that\u00b4s not a valid extension.', "I'm sorry that's not a valid extension"],
    ['The con\u00adfer\u00adence will be\u00adgin when the lead\u00ader ar\u00adrives.', text.replace('.', '')],
    ['<speak>The conference will begin<break time="500ms"/> when the leader arrives.</speak>', text.replace('.', '')],
    ['pages 1,2,3', 'pages one two three'],
    ['1½ cups', 'one and a half cups'],
    ['-5 degrees', 'minus five degrees'],
    ['2 + 2 = 4', 'two plus two equals four'],
    ['£5.50 or €20', 'five pounds and fifty pence or twenty euros'],
  ])('%s', async (typed, words) => {
    expect(await run(clip, '--text', typed, '--json')).toBe(0);
    expect(
      JSON.parse(output.stdout)
        .files[0].words.map((word: { text: string }) => word.text)
        .join(' '),
    ).toBe(words);
  });

  it('says which of the competing readings was heard', async () => {
    expect(await run(clip, '--text', 'The 2024 conference', '--json')).toBe(0);
    const word = JSON.parse(output.stdout).files[0].words[1];
    expect(['two thousand', 'twenty', 'two thousand and']).toContain(word.pronunciation.reading);
    output.stdout = '';
    expect(await run(clip, '--text', 'The 2024 conference')).toBe(0);
    expect(output.stdout).toMatch(/\(read as "t\w+/);
  });

  it('refuses what it cannot read for certain, with the place', async () => {
    expect(await run(clip, '--text', 'see word¹')).toBe(2);
    expect(output.stderr).toContain('"¹" (U+00B9) at character 9');
  });
});

describe('speechfb score where the text is not what is heard', () => {
  it('gives no accuracy when nobody speaks, and says so', async () => {
    const silence = join(fixtures, 'silence.wav');
    expect(await run(silence, '--text', text, '--json')).toBe(0);
    const [file] = JSON.parse(output.stdout).files;
    expect(file).toMatchObject({ heard: 'nothing', scores: { accuracy: null, completeness: 0 } });
    for (const word of file.words) expect(word).toMatchObject({ accuracy: null, error_type: 'omission' });
    output.stdout = '';
    expect(await run(silence, '--text', text)).toBe(0);
    expect(output.stdout).toContain('nobody speaks: no accuracy');
    const manifest = join(folder, 'silence.jsonl');
    writeFileSync(manifest, JSON.stringify({ id: 's', audio: silence, text }));
    expect(await run('--manifest', manifest, '--out', join(folder, 'silence-out.jsonl'))).toBe(0);
    const [line] = readFileSync(join(folder, 'silence-out.jsonl'), 'utf8').trim().split('\n');
    expect(JSON.parse(line!).words[0]).toMatchObject({ text: 'The', scores: [null, null], gop: [null, null] });
  });

  it('finds one word where it is said in longer speech', async () => {
    const words = [
      ['service', 'again', 4280, 4680, 97],
      ['leader', 'begin', 960, 1400, 98],
      ['locate', 'locate', 1320, 1860, 99],
      ['thanks', 'trying', 1780, 2140, 98],
      ['extension', "that's", 940, 1200, 98],
      ['leader', 'arrives', 2120, 2640, 93],
    ] as const;
    const files = words.map(([id]) => join(fixtures, `${id}.wav`));
    const texts = words.flatMap(([, word]) => ['--text', word]);
    expect(await run(...files, ...texts, '--json')).toBe(0);
    for (const [at, file] of JSON.parse(output.stdout).files.entries()) {
      const [, word, start, end, accuracy] = words[at]!;
      const [found] = file.words;
      expect([word, found.error_type]).toEqual([word, 'none']);
      expect(Math.min(found.end_ms, end) - Math.max(found.start_ms, start)).toBeGreaterThan((end - start) / 2);
      expect(found.accuracy).toBeGreaterThan(accuracy - 20);
      expect(file.deviations.some(({ kind }: { kind: string }) => kind === 'other_words')).toBe(true);
    }
  });

  it('leaves out words that were never said, and gives them no accuracy', async () => {
    const words = ['monkeys', 'participant', 'mailbox', 'available', 'response', 'elephant'];
    const files = words.map(() => join(fixtures, 'leader.wav'));
    expect(await run(...files, ...words.flatMap((word) => ['--text', word]), '--json')).toBe(0);
    for (const file of JSON.parse(output.stdout).files) {
      expect(file).toMatchObject({ heard: 'other_sounds', scores: { accuracy: null, completeness: 0 } });
      expect(file.words).toMatchObject([{ accuracy: null, error_type: 'omission' }]);
    }
  });
});

describe('speechfb score --manifest', () => {
  it('scores the good lines, reports the bad ones by file and line, and ends with 2', async () => {
    const manifest = join(folder, 'in.jsonl');
    const results = join(folder, 'out.jsonl');
    writeFileSync(
      manifest,
      [
        JSON.stringify({ id: 'a', audio: clip, text, speaker: 'kept out' }),
        '{"id": "b", "audio":',
        '',
        JSON.stringify({ id: 'c', audio: 'missing.wav', text }),
        JSON.stringify({ id: 'd', audio: clip, words: [{ text: 'The', phones: ['DH', 'AH0'] }] }),
        JSON.stringify({ id: 'e', audio: clip }),
        JSON.stringify({ id: 'f', text }),
      ].join('\n'),
    );
    expect(await run('--manifest', manifest, '--out', results, '--features')).toBe(2);
    const rows = readFileSync(results, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map((row) => row.id)).toEqual(['a', 'd']);
    const [word] = rows[1].words;
    expect(word).toMatchObject({ text: 'The', phones: ['DH', 'AH'] });
    for (const key of ['scores', 'scores_in_context', 'gop', 'features', 'segments']) expect(word[key]).toHaveLength(2);
    expect(word.features[0]).toHaveLength(94);
    for (const line of [2, 4, 6, 7]) expect(output.stderr).toContain(`in.jsonl:${line}: `);
    expect(output.stderr).toContain('2 utterances scored, 4 could not be');
  });

  it.each<[string, object[], RegExp]>([
    [
      'before the word ahead of it',
      [
        { text: 'The', end_ms: 900 },
        { text: 'conference', end_ms: 300 },
      ],
      /times\.jsonl:1:(\d+): words\.1\.end_ms: 300 ms is before the word ahead of it, at 900 ms \[bad_manifest\]/,
    ],
    [
      'behind the sound',
      [{ text: 'The', end_ms: 90_000 }],
      /words\.0\.end_ms: 90000 ms is after the end of the recording/,
    ],
    ['as text', [{ text: 'The', end_ms: '9' }], /words\.0\.end_ms: "9" is not a number; needed: text, end_ms/],
  ])('refuses word times as loadtest does: %s', async (_, words, sentence) => {
    const manifest = join(folder, 'times.jsonl');
    const line = JSON.stringify({ id: 'a', audio: clip, text, words });
    writeFileSync(manifest, `${line}\n${JSON.stringify({ id: 'b', audio: clip, text })}\n`);
    expect(await run('--manifest', manifest, '--out', join(folder, 'times-out.jsonl'))).toBe(2);
    const [, column] = sentence.exec(output.stderr) ?? expect.fail(output.stderr);
    if (column !== undefined) expect(line.slice(Number(column) - 1)).toMatch(/^300/);
    expect(output.stderr).toContain('1 utterances scored, 1 could not be');
  });
});
