import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli.ts';
import { shippedFiles } from '../../src/commands/shipped.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const bin = resolve(import.meta.dirname, '../../bin/speechfb');
let [out, err] = ['', ''];
let scratch: string;

beforeEach(() => {
  [out, err] = ['', ''];
  scratch = temporaryDirectory();
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

describe('a file that ships goes by its bare name', () => {
  it.each([
    ['loadtest', ['loadtest', 'quickstart', '--validate']],
    ['budget', ['budget', 'mobile-500ms']],
    ['capacity', ['capacity', 'live-class', '--json']],
    ['route', ['route', 'default', '--json']],
    ['capacity --compare', ['capacity', 'live-class', '--compare', 'live-class']],
    ['slo check', ['slo', 'check', 'live-feedback']],
    ['slo rules', ['slo', 'rules', 'live-feedback']],
    ['canary plan', ['canary', 'plan', 'canary']],
    ['netsim', ['netsim', 'bad-network', '--duration', '20s']],
    ['netsim --network', ['netsim', 'bad-network', '--network', 'cafe', '--duration', '20s']],
  ])('with %s', async (_, args) => {
    expect(await main(args), err).toBe(0);
    expect(out.length).toBeGreaterThan(50);
  });

  it.each([
    ['loadtest', 'quickstrat', 'did you mean "quickstart"?', 'quickstart, reconnect-storm, soak'],
    ['budget', 'mobile', 'there is no latency budget "mobile"', 'before-launch, gateway-feedback, mobile-500ms'],
    ['capacity', 'quickstart', 'there is no capacity scenario "quickstart"', 'class-day, live-class, school-day'],
  ])('and %s says what ships instead of "%s"', async (verb, name, message, names) => {
    expect(await main([verb, name])).toBe(2);
    expect(err).toContain(message);
    expect(err).toContain(names);
    expect(err).toContain('[unreadable_file]');
  });

  it('and is pointed to where a path of the repository is not there', async () => {
    expect(await main(['loadtest', 'nowhere/quickstart.yaml'])).toBe(2);
    expect(err).toContain('hint: speechfb ships a load scenario of that name: give just "quickstart"');
  });

  it('unless a file of that name is here; a directory is none', async () => {
    const named = join(scratch, 'quickstart');
    mkdirSync(named);
    expect(speechfb(['loadtest', 'quickstart', '--validate'])).toMatchObject({ status: 0 });
    writeFileSync(join(scratch, 'mobile-500ms'), 'kind: nonsense\n');
    const refused = speechfb(['budget', 'mobile-500ms']);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('nonsense');
  });
});

/** The built program, in the scratch directory. */
function speechfb(args: string[]) {
  return spawnSync(process.execPath, [bin, ...args], { cwd: scratch, encoding: 'utf8' });
}

describe('speechfb examples', () => {
  it('lists each file with the command that runs it and what it is', async () => {
    expect(await main(['examples'])).toBe(0);
    const lines = out.split('\n').filter((line) => line.startsWith('  speechfb '));
    expect(lines).toHaveLength(shippedFiles().length);
    for (const line of lines) expect(line).toMatch(/^ {2}speechfb (\w+ )+[\w-]+ {2,}[A-Z].*[.?]$/);
  });

  it('copies one with what it names, to run from there, and says what it wrote', async () => {
    const target = join(scratch, 'mine');
    expect(await main(['examples', 'quickstart', 'school-day', '--copy', target])).toBe(0);
    const wrote = out.split('\n').flatMap((line) => line.match(/^wrote (.*)$/)?.[1] ?? []);
    const expected = ['scenarios/quickstart.yaml', 'capacity/school-day.csv', 'capacity/curves/kaldi-v100.json'];
    expect(wrote).toEqual(
      expect.arrayContaining([...expected, 'fixtures/audio/leader.wav'].map((p) => join(target, p))),
    );
    expect(out).toContain(`${wrote.length} files\n`);
    expect(await main(['loadtest', join(target, 'scenarios/quickstart.yaml'), '--validate']), err).toBe(0);
    expect(await main(['capacity', join(target, 'capacity/school-day.yaml'), '--json']), err).toBe(0);
  });

  it('copies all of them, never over a file that differs unless told to', async () => {
    const target = join(scratch, 'all');
    const copied = join(target, 'slo/canary.yaml');
    expect(await main(['examples', '--copy', target])).toBe(0);
    const shipped = readFileSync(copied, 'utf8');
    out = '';
    expect(await main(['examples', '--copy', target])).toBe(0);
    expect(out).toContain('nothing was written');
    writeFileSync(copied, 'mine\n');
    expect(await main(['examples', '--copy', target])).toBe(2);
    expect(err).toContain(`${copied}: is there already, and differs`);
    expect(readFileSync(copied, 'utf8')).toBe('mine\n');
    out = '';
    expect(await main(['examples', '--copy', target, '--force', '--json'])).toBe(0);
    expect(JSON.parse(out)).toEqual({ written: [copied] });
    expect(readFileSync(copied, 'utf8')).toBe(shipped);
  });

  it.each([
    [['examples', 'qickstart'], '"qickstart" is no example (did you mean "quickstart"?)'],
    [['examples', '--force'], '--force goes with --copy DIR'],
    [['examples', '--copy', ''], '--copy: is empty'],
    [['examples', '--copy', '/dev/null/x'], 'not everything was copied'],
  ])('refuses %s', async (args, message) => {
    expect(await main(args)).toBe(2);
    expect(err).toContain(message);
  });
});
