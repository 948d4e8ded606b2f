import { expect, it } from 'vitest';
import { ThrottledLog } from '../../src/telemetry/throttled-log.ts';

it('says a message once a second, and how often it was left unsaid', () => {
  const { log, lines, at } = create();
  for (let ms = 0; ms <= 2500; ms += 100) at(ms, () => log.warn({ ms }, 'broken frame'));
  expect(lines).toEqual(['warn broken frame 0', 'warn broken frame 1000 +9', 'warn broken frame 2000 +9']);
  at(3000, () => log.flush());
  expect(lines.at(-1)).toBe('warn broken frame 2500 +4');
  expect(lines).toHaveLength(4);
});

it('says what was left unsaid once, when its second is over', () => {
  const { log, lines, at } = create();
  at(0, () => log.error({ ms: 1 }, 'failed'));
  at(10, () => log.error({ ms: 2 }, 'failed'));
  at(999, () => log.flush());
  expect(lines).toEqual(['error failed 1']);
  at(1000, () => log.flush());
  at(5000, () => log.flush());
  expect(lines).toEqual(['error failed 1', 'error failed 2']);
});

it('says different messages each by its own, and what the server tells of itself always', () => {
  const { log, lines } = create();
  for (let i = 0; i < 3; i++) {
    log.warn({ ms: i }, 'one');
    log.warn({ ms: i }, 'another');
    log.info({ ms: i }, 'listening');
  }
  expect(lines).toEqual(['warn one 0', 'warn another 0', 'info listening 0', 'info listening 1', 'info listening 2']);
});

it('keeps few messages in mind, and throttles all others together', () => {
  const { log, lines, at } = create();
  for (let i = 0; i < 10_000; i++) log.warn({ ms: i }, `foreign ${i}`);
  expect(lines.length).toBeLessThan(100);
  at(1000, () => log.flush());
  const unsaid = lines.map((line) => Number(/\+(\d+)$/.exec(line)?.[1] ?? 0));
  expect(lines.length + unsaid.reduce((sum, count) => sum + count, 0)).toBe(10_000);
});

it('says what befalls a tenant once a second for each, so that none hides another', () => {
  const { log, lines, at } = create();
  for (let ms = 0; ms < 1000; ms += 10) at(ms, () => log.warn({ ms, tenant: 'greedy' }, 'refused'));
  at(990, () => log.warn({ ms: 990, tenant: 'modest' }, 'refused'));
  expect(lines).toEqual(['warn refused 0', 'warn refused 990']);
  at(1000, () => log.flush());
  expect(lines.at(-1)).toBe('warn refused 990 +98');
});

function create() {
  const lines: string[] = [];
  let nowMs = 0;
  type Fields = { ms?: number; suppressed?: number };
  const say = (level: string) => (fields: Fields, message: string) => {
    lines.push(`${level} ${message} ${fields.ms}${fields.suppressed === undefined ? '' : ` +${fields.suppressed}`}`);
  };
  const plain = { info: say('info'), warn: say('warn'), error: say('error') };
  const at = (ms: number, act: () => void): void => {
    nowMs = ms;
    act();
  };
  return { log: new ThrottledLog(plain, () => nowMs), lines, at };
}
