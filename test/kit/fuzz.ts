import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exitCodes, formatError, SpeechfbError } from '../../src/errors.ts';
import type { Output } from './command.ts';
import { rawIn } from './hostile-text.ts';

/** Minutes that each law is tried for, and from which seed: `npm run fuzz`; without, so many runs of one seed. */
const { SPEECHFB_FUZZ_MINUTES: minutes, SPEECHFB_FUZZ_SEED: seed = '12' } = process.env;
const limitMs = minutes === undefined ? undefined : Number(minutes) * 60_000;

/** What one run may take, on a machine that has other things to do. */
const longestRunMs = 20_000;
/** What a law may leave behind: code, caches and the tables that are read once. */
const mostGrowthBytes = 96 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/**
 * A test that gives `law` so many inputs: none may throw, take long, or leave memory behind. What it found, and the
 * seed and path that find it again, are in the message.
 */
export function fuzz<Input>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  runs: number,
  law: (input: Input) => unknown,
): void {
  it(
    name,
    async () => {
      let running: Promise<void> = Promise.resolve();
      const timed = (input: Input) => {
        running = tried(law, input);
        return running;
      };
      const settings =
        limitMs === undefined
          ? { numRuns: runs }
          : { numRuns: 1e9, interruptAfterTimeLimit: limitMs, markInterruptAsFailure: false };
      // What is loaded and compiled at the first use is no growth.
      await fc.assert(fc.asyncProperty(inputs, timed), { seed: 1, numRuns: 3 });
      collectGarbage();
      const before = process.memoryUsage().heapUsed;
      await fc.assert(fc.asyncProperty(inputs, timed), { seed: Number(seed), ...settings });
      // What the end of its time interrupts goes on, and would run into the next law.
      await running;
      collectGarbage();
      expect(process.memoryUsage().heapUsed - before, 'bytes that are left').toBeLessThan(mostGrowthBytes);
    },
    (limitMs ?? 0) + 120_000,
  );
}

async function tried<Input>(law: (input: Input) => unknown, input: Input): Promise<void> {
  const begin = performance.now();
  await law(input);
  expect(performance.now() - begin, 'ms that it took').toBeLessThan(longestRunMs);
}

/** Runs what may refuse its input: as every refusal is, with a code, exit 2 and nothing foreign raw. */
export async function mayRefuse(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    expect(error.code).toMatch(/^[a-z]+(_[a-z]+)+$/);
    expect(error.exitCode).toBe(exitCodes.usage);
    expect(formatError(error)).not.toMatch(/call stack|\bundefined is|\[object O/);
    expect(rawIn(formatError(error), 'text')).toEqual([]);
  }
}

/** A command that ended as commands end. */
export function hasEnded({ status, stdout, stderr }: Output & { status: number }): void {
  expect(stderr).not.toContain('a bug of ours');
  expect(Object.values(exitCodes).filter((code) => code !== exitCodes.bug)).toContain(status);
  if (status === exitCodes.usage) expect(stderr).toMatch(/^speechfb: .* \[[a-z_]+\]$/m);
  expect(rawIn(`${stdout}${stderr}`, 'text')).toEqual([]);
}

/** One thing done to a text or to bytes: where (a share of its length), how much, and what is put there. */
type Edit = { at: number; length: number; put: string };

const tokens = [
  ...[
    '',
    ' ',
    '\n',
    '\r\n',
    '\t',
    '\0',
    '\x1b[2J',
    '\u202e',
    '\ud800',
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    '- ',
    '"',
    "'",
    '`',
  ],
  ...['null', '~', '-1', '0', '1e308', '1e999', '-0', 'NaN', '.inf', '99999999999999999999', '0x10', '1_000', '100%'],
  ...[
    '10ms',
    '-5s',
    '1h',
    '1e9d',
    '12/min',
    '&a [*a]',
    '*a',
    '<<: *a',
    '!!js/function',
    '!!binary aGk=',
    '---\n',
    '? ',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '${env:HOME}',
    '../../..',
    '/dev/zero',
    'a'.repeat(3000),
    '['.repeat(500),
  ],
];

const edit = fc.record<Edit>({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(fc.nat(4), fc.nat(60)),
  put: fc.oneof(fc.constantFrom(...tokens), fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 6 })),
});

/** One of the texts, edited a few times. */
export function editedText(texts: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 5 })).map(([text, edits]) =>
    edits.reduce((now, { at, length, put }) => {
      const from = Math.floor(at * now.length);
      return `${now.slice(0, from)}${put}${now.slice(from + length)}`;
    }, text),
  );
}

/** One of the blocks of bytes, edited a few times, or cut off. */
export function editedBytes(blocks: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const edits = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.uint8Array({ maxLength: 8 })), {
    maxLength: 6,
  });
  return fc
    .tuple(fc.constantFrom(...blocks), edits, fc.double({ min: 0.5, max: 3, noNaN: true }))
    .map(([block, changes, keep]) => {
      const bytes = Buffer.from(block.subarray(0, Math.ceil(Math.min(1, keep) * block.length)));
      for (const [at, put] of changes)
        bytes.set(
          put.subarray(0, Math.max(0, bytes.length - Math.floor(at * bytes.length))),
          Math.floor(at * bytes.length),
        );
      return bytes;
    });
}

/** A value of JSON with one of its parts replaced by anything that JSON can say, or left out. */
export function editedJson(values: readonly unknown[]): fc.Arbitrary<unknown> {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(
      undefined,
      null,
      '',
      0,
      -1,
      1e308,
      2 ** 53,
      true,
      [],
      {},
      'x'.repeat(5000),
      '\x1b[2J\u202e',
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc
    .tuple(fc.constantFrom(...values), fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) => changes.reduce((now, [which, put]) => replaced(now, which, put), value));
}

/** The value with its `which`th part, modulo how many it has, replaced. */
function replaced(value: unknown, which: number, put: unknown): unknown {
  const paths: string[][] = [];
  const visit = (at: unknown, path: string[]) => {
    paths.push(path);
    if (typeof at === 'object' && at !== null)
      for (const [key, inner] of Object.entries(at).slice(0, 200)) visit(inner, [...path, key]);
  };
  visit(value, []);
  const put_ = (at: unknown, [key, ...rest]: string[]): unknown => {
    if (key === undefined) return put;
    if (Array.isArray(at)) return at.with(Number(key), put_(at[Number(key)], rest));
    const { [key]: inner, ...others } = at as Record<string, unknown>;
    return { ...others, [key]: put_(inner, rest) };
  };
  return put_(value, paths[which % paths.length]!);
}
