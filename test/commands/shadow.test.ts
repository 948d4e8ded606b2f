import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import type { ShadowRecord } from '../../src/shadow/record.ts';
import { captureOutput } from '../kit/command.ts';
import { shadowRecordOf, shadowSide } from '../kit/shadow-records.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const output = captureOutput();
const report = (...args: string[]) => main(['shadow', 'report', ...args]);
const directory = temporaryDirectory();
let files = 0;

function logOf(lines: readonly (ShadowRecord | string | object)[], end = '\n'): string {
  const file = join(directory, `shadow-${++files}.jsonl`);
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  writeFileSync(file, `${texts.join('\n')}${end}`);
  return file;
}

const learners = (number: number, over: Partial<ShadowRecord> = {}) =>
  Array.from({ length: number }, (_, learner) => shadowRecordOf(learner, over));

describe('speechfb shadow report', () => {
  it('says what differs, with its interval and what it means', async () => {
    expect(await report(logOf(learners(400)))).toBe(0);
    expect(output.stdout).toContain('next, unseen, beside own');
    expect(output.stdout).toMatch(/wrong words +10 % +10 % +\+0 % +\[.*\] +same/);
    expect(output.stdout).toMatch(/final text after +300 ms +300 ms +\+0 ms +\[\+0 ms, \+0 ms\] +same/);
    expect(output.stdout).toContain('400 utterances of 400 learners, heard by both');
    expect(output.stdout).toContain('nothing is worse');
  });

  it('exits 99 for a shadow that is worse, and tells how in JSON', async () => {
    const file = logOf(learners(100, { shadow: shadowSide({ backend: 'next', wrong: 4 }) }));
    expect(await report(file, '--json')).toBe(99);
    expect(JSON.parse(output.stdout)).toMatchObject({
      by: 'shadow',
      names: { baseline: ['own'], candidate: ['next'] },
      verdict: 'worse',
      figures: expect.arrayContaining([
        expect.objectContaining({ figure: 'wer', baseline: 0.1, candidate: 0.4, verdict: 'worse', learners: 100 }),
      ]),
    });
  });

  it('exits 98 where nothing can be compared, and with --strict where something is open', async () => {
    expect(await report(logOf(learners(10, { shadow: null, between: null })))).toBe(98);
    expect(output.stdout).toContain('nothing can be said');
    const few = logOf(learners(3));
    expect(await report(few)).toBe(0);
    expect(await report(few, '--strict')).toBe(98);
  });

  it('compares a canary with the rest', async () => {
    const of = (variant: 'canary' | 'baseline', first: number, wrong: number) =>
      Array.from({ length: 100 }, (_, at) =>
        shadowRecordOf(first + at, {
          variant,
          canary: 'c',
          shadow: null,
          between: null,
          served: shadowSide({ wrong }),
        }),
      );
    expect(await report(logOf([...of('baseline', 0, 1), ...of('canary', 100, 5)]), '--by', 'variant')).toBe(99);
    expect(output.stdout).toMatch(/as a canary, beside/);
    expect(output.stdout).toMatch(/100 utterances of 100 learners beside 100 of 100/);
  });

  it('counts a task as done by --task-wer', async () => {
    const file = logOf(learners(10, { served: shadowSide({ wrong: 2 }) }));
    await report(file, '--json', '--task-wer', '20%');
    const { figures } = JSON.parse(output.stdout) as { figures: { figure: string; baseline: number }[] };
    expect(figures.find(({ figure }) => figure === 'task_success')!.baseline).toBe(1);
  });

  it('passes over a last line that a crash left unfinished, and says so', async () => {
    const file = logOf([...learners(100), JSON.stringify(shadowRecordOf(1)).slice(0, 80)], '');
    expect(await report(file)).toBe(0);
    expect(output.stdout).toContain('line 101, the last, is unfinished and was passed over');
  });

  const [good] = learners(1);
  it.each<[what: string, lines: (object | string)[], args: string[], found: RegExp]>([
    [
      'a line that is no JSON before others',
      [good!, '{"v": 1, "at', good!],
      [],
      /shadow-\d+\.jsonl:2:\d+: is not JSON/,
    ],
    ['nothing but rubbish', ['rubbish'], [], /shadow-\d+\.jsonl:1:\d+: is not JSON/],
    ['a line that is no record', [good!, '[1]', good!], [], /:2:1: is no record of a shadow log/],
    ['a record of the future', [{ ...good!, v: 2 }], [], /:1:6: v: 2 is another version; this reads 1/],
    ['a time below nothing', [{ ...good!, served: shadowSide({ final_ms: -1 }) }], [], /:1:\d+: served\.final_ms: -1/],
    ['a name where a hash belongs', [{ ...good!, learner: 'ada' }], [], /:1:\d+: learner: "ada"/],
    ['sides that there are not', [good!], ['--by', 'model'], /--by: "model" is not allowed; allowed: shadow, variant/],
    ['a share of nothing', [good!], ['--task-wer', '2'], /--task-wer/],
  ])('refuses %s with one sentence', async (_, lines, args, found) => {
    expect(await report(logOf(lines), ...args)).toBe(2);
    expect(output.stderr).toMatch(found);
    expect(output.stdout).toBe('');
  });

  it('refuses a file that is not there', async () => {
    expect(await report(join(directory, 'none.jsonl'))).toBe(2);
    expect(output.stderr).toMatch(/cannot read the shadow log/);
  });
});
