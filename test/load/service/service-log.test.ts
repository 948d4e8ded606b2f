import { expect, it } from 'vitest';
import { ServiceLog } from '../../../src/load/service/service-log.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

it('keeps whole lines behind the name of who wrote them, however they were cut', () => {
  const log = new ServiceLog();
  const [first, second] = [log.writerOf('gateway 1'), log.writerOf('node 2')];
  const letter = bytes('é');
  first(bytes('{"msg":"caf'));
  second(bytes('one\n\ntwo\nthr'));
  first(letter.subarray(0, 1));
  first(letter.subarray(1));
  first(bytes('"}\n'));
  expect(`${log}`).toBe('node 2: one\nnode 2: two\ngateway 1: {"msg":"café"}\n');
});

it('is empty when nobody said anything', () => {
  expect(`${new ServiceLog()}`).toBe('');
});

it('keeps the newest lines, and says how many it left out', () => {
  const log = new ServiceLog(20);
  const write = log.writerOf('n');
  for (let line = 1; line <= 53; line += 1) write(bytes(`${line}\n`));
  const [head, ...kept] = `${log}`.trimEnd().split('\n');
  const left = Number(/^\((\d+) earlier lines left out\)$/.exec(head!)?.[1]);
  expect(left + kept.length).toBe(53);
  expect(kept.length).toBeGreaterThanOrEqual(20);
  expect(kept.length).toBeLessThanOrEqual(22);
  expect(kept.at(-1)).toBe('n: 53');
});

it.each([
  ['in one piece', 1],
  ['in many', 40],
])('holds little of a line without end that comes %s', (_, pieces) => {
  const log = new ServiceLog();
  const write = log.writerOf('n');
  for (let piece = 0; piece < pieces; piece += 1) write(bytes('x'.repeat(100_000 / pieces)));
  write(bytes('\nnext\n'));
  const [long, next] = `${log}`.split('\n');
  expect(long!.length).toBeLessThan(25_000);
  expect(next).toBe('n: next');
});
