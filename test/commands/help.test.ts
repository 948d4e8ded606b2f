import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli.ts';

const commands = [
  '',
  ...[
    'score',
    'serve',
    'stream',
    'probe',
    'loadtest',
    'report',
    'merge',
    'compare',
    'netsim',
    'budget',
    'capacity',
    'route',
  ],
  ...['slo', 'slo check', 'slo rules', 'slo evaluate', 'slo explain'],
  ...['canary', 'canary plan', 'canary judge', 'canary simulate', 'deploy'],
  ...['shadow', 'shadow report'],
  ...['admin', 'admin status', 'admin sessions', 'admin routing', 'admin drain', 'admin tenants'],
  ...['admin limits', 'admin audit'],
  ...['audit', 'audit verify'],
  ...['examples', 'token', 'token new', 'worker', 'dlq', 'dlq list', 'dlq show', 'dlq replay'],
];
const { columns, isTTY } = process.stdout;

let out = '';
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(process.stdout, { columns, isTTY });
});

describe.each([80, 60, 40])('in a terminal of %i columns the help', (width) => {
  it.each(commands)('of "%s" breaks between words', async (command) => {
    const help = await helpOf(command, width);
    expect(help.split('\n').filter((line) => line.length > Math.max(width, longestTerm))).toEqual([]);
    expect(wordsOf(help)).toEqual(wordsOf(await helpOf(command, 1000)));
  });
});

it('sets descriptions beside their terms where there is room, and below them where there is none', async () => {
  expect(await helpOf('', 80)).toMatch(
    /\n {2}compare <baseline> <candidate> {2}Says whether a load test got better or worse\n {34}against/,
  );
  expect(await helpOf('', 60)).toMatch(
    /\n {2}compare <baseline> <candidate>\n {6}Says whether a load test got better or worse against a\n {6}baseline/,
  );
});

it('names every command that the program has', async () => {
  const named = [...(await helpOf('', 80)).matchAll(/^ {2}([a-z]+)(?= )/gm)].map(([, name]) => name);
  expect(named).toEqual([...commands.filter((one) => one !== '' && !one.includes(' ')), 'help']);
});

it('leaves as many listeners on stdout and stderr however many commands one process runs', async () => {
  const count = () => [process.stdout, process.stderr].map((stream) => stream.listenerCount('error'));
  await helpOf('', 80);
  const before = count();
  for (let i = 0; i < 3; i++) await helpOf('', 80);
  expect(count()).toEqual(before);
});

/** A usage line or a term of some 60 columns has no blank to break at in 40. */
const longestTerm = 60;

async function helpOf(command: string, width: number): Promise<string> {
  out = '';
  Object.assign(process.stdout, { columns: width, isTTY: true });
  expect(await main([...command.split(' ').filter(Boolean), '--help'])).toBe(0);
  return out;
}

function wordsOf(help: string): string[] {
  return help.split(/\s+/);
}
