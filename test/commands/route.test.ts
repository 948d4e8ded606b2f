import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { captureOutput } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const output = captureOutput();
const route = (...args: string[]) => main(['route', ...args]);

describe('speechfb route', () => {
  it('shows the rules in their order and that the policy is sound', async () => {
    expect(await route('default')).toBe(0);
    expect(output.stdout).toMatch(/1 +homework +batch +lane batch/);
    expect(output.stdout).toMatch(/5 +spike +own 50 %, deepgram 50 % +language en, load >= 85 %/);
    expect(output.stdout).toContain('the policy is sound');
    expect(output.stderr).toBe('');
  });

  it('says which rule wins, why those above do not, and where each share ends up', async () => {
    expect(await route('default', '--explain', 'load=0.9 own=full')).toBe(0);
    expect(output.stdout).toContain('- cold start: no machine is starting');
    expect(output.stdout).toContain('✓ spike: own 50 %, deepgram 50 %');
    expect(output.stdout).toContain('50 % draw own: own is full; to deepgram (deepgram, $0.0077/min)');
  });

  it('says what a canary takes of a share, and what a shadow hears', async () => {
    const file = join(temporaryDirectory(), 'canary.yaml');
    const variants =
      '  canary: {name: next, from: own, to: openai, share: 10%, rollback: {mode: consecutive}}\n' +
      '  shadow: {to: deepgram, share: 1%, most: $3/h, perTenant: {most: $1/h}}\n';
    writeFileSync(file, readFileSync('routing/default.yaml', 'utf8') + variants);
    expect(await route(file)).toBe(0);
    expect(output.stdout).toContain('canary next: 10 % of the sessions of own go to openai');
    expect(output.stdout).toContain('shadow: deepgram hears 1 % of the sessions unseen (20 at once, $3.00/h at most)');
    expect(output.stdout).toContain('of each tenant $1.00/h at most');
    expect(await route(file, '--explain', 'load=0.1')).toBe(0);
    expect(output.stdout).toContain('90 % draw own: to own');
    expect(output.stdout).toContain('10 % draw own, for the canary: to openai');
    expect(await route(file, '--explain', 'load=0.1 canary=true', '--json')).toBe(0);
    expect(output.stdout).toContain('"variant": "canary"');
    expect(await route(file, '--explain', 'canary=yes')).toBe(2);
    expect(output.stderr).toContain('"yes" is not allowed; allowed: true, false');
  });

  it('exits 99 for a session that would be refused', async () => {
    expect(await route('default', '--explain', 'language=sw openai=broken')).toBe(99);
    expect(output.stdout).toContain('refused: openai is broken, and nobody is left');
  });

  it('prints one JSON document of an answer', async () => {
    expect(await route('default', '--explain', 'load=0.9', '--json')).toBe(0);
    expect(JSON.parse(output.stdout)).toMatchObject({
      rule: 'spike',
      ways: [
        { share: 0.5, drawn: 'own', backend: 'own' },
        { share: 0.5, drawn: 'deepgram', backend: 'deepgram' },
      ],
    });
  });

  it('plays the load of a capacity scenario over the policy and prices it', async () => {
    expect(await route('default', '--simulate', 'live-class', '--languages', 'en=95% es=5%', '--json')).toBe(0);
    const { backends, audioMinutes, dollars, unservedMinutes } = JSON.parse(output.stdout);
    const [own, deepgram] = backends;
    expect(own.audioMinutes / audioMinutes).toBeGreaterThan(0.9);
    expect(own.audioMinutes / audioMinutes).toBeLessThan(0.95);
    expect(deepgram.audioMinutes / audioMinutes).toBeGreaterThan(0.05);
    expect(dollars / audioMinutes).toBeLessThan(0.015);
    expect(unservedMinutes / audioMinutes).toBeLessThan(0.001);
  });

  it.each<[what: string, args: string[], message: RegExp]>([
    [
      'both questions at once',
      ['default', '--explain', '', '--simulate', 'live-class'],
      /--explain and --simulate do not go together/,
    ],
    ['a policy that is not there', ['defualt'], /there is no routing policy "defualt" \(did you mean "default"\?\)/],
    [
      'a file of another kind',
      ['capacity/live-class.yaml'],
      /has no RoutingPolicy; it has CapacityScenario live-class/,
    ],
    ['a load that is not there', ['default', '--simulate', 'nowhere'], /there is no capacity scenario "nowhere"/],
    [
      'languages that are not all',
      ['default', '--simulate', 'live-class', '--languages', 'en=5%'],
      /shares add up to 5%/,
    ],
  ])('refuses %s', async (_, args, message) => {
    expect(await route(...args)).toBe(2);
    expect(output.stderr).toMatch(message);
    expect(output.stdout).toBe('');
  });

  it('refuses two policies in one file, of which one would be in force', async () => {
    const policy = readFileSync('routing/default.yaml', 'utf8');
    const file = join(temporaryDirectory(), 'two.yaml');
    writeFileSync(file, `${policy}---\n${policy.replace('name: default', 'name: other')}`);
    expect(await route(file)).toBe(2);
    expect(output.stderr).toMatch(/has two policies, "default" and "other"; one is in force at a time/);
  });
});
