import { beforeEach, expect, it } from 'vitest';
import type { BackendError, HearingText } from '../../src/backends/backend.ts';
import { HearingGate } from '../../src/backends/hearing-gate.ts';

let told: string[];
let gate: HearingGate;
const text = (utterance: number, words: string, isFinal = false): HearingText => ({
  utterance,
  text: words,
  settled: 0,
  isFinal,
});
const fault: BackendError = { class: 'fault', message: 'it went away' };

beforeEach(() => {
  told = [];
  gate = new HearingGate(
    {
      onReady: () => told.push('ready'),
      onText: ({ utterance, text: words, isFinal }) => told.push(`${isFinal ? 'final' : 'text'} ${utterance} ${words}`),
      onError: ({ message }) => told.push(`error ${message}`),
    },
    () => told.push('ended'),
  );
});

it.each<[string, () => void, string[]]>([
  ['ready once', () => [gate.ready(), gate.ready()], ['ready']],
  ['ready before the first text', () => gate.text(text(0, 'a')), ['ready', 'text 0 a']],
  [
    'a final once, and nothing of its utterance behind it',
    () => [gate.text(text(0, 'a', true)), gate.text(text(0, 'a', true)), gate.text(text(0, 'b'))],
    ['ready', 'final 0 a'],
  ],
  [
    'an empty final where a backend goes on without one',
    () => [gate.text(text(0, 'a')), gate.text(text(2, 'c'))],
    ['ready', 'text 0 a', 'final 0 ', 'final 1 ', 'text 2 c'],
  ],
  [
    'an error as the last',
    () => [gate.fail(fault), gate.text(text(0, 'a')), gate.ready(), gate.fail(fault)],
    ['ended', 'error it went away'],
  ],
  ['nothing behind its end', () => [gate.close(), gate.text(text(0, 'a')), gate.fail(fault)], ['ended']],
])('tells %s', (_, act, expected) => {
  act();
  expect(told).toEqual(expected);
});
