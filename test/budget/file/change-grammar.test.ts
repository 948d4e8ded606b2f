import { describe, expect, it } from 'vitest';
import { parseWhatIf } from '../../../src/budget/file/change-grammar.ts';

const stages = ['network', 'asr', 'edge-to-inference', 'mobile-4g'];

describe('a what-if on the command line', () => {
  it.each([
    ['asr+100ms', [{ stage: 'asr', kind: 'shift', byMs: 100 }]],
    ['asr - 0.5s', [{ stage: 'asr', kind: 'shift', byMs: -500 }]],
    ['edge-to-inference-5ms', [{ stage: 'edge-to-inference', kind: 'shift', byMs: -5 }]],
    ['mobile-4g-5ms', [{ stage: 'mobile-4g', kind: 'shift', byMs: -5 }]],
    ['asr*1.5', [{ stage: 'asr', kind: 'scale', factor: 1.5 }]],
    ['asr*.5', [{ stage: 'asr', kind: 'scale', factor: 0.5 }]],
    ['asr<=200ms', [{ stage: 'asr', kind: 'cap', atMs: 200 }]],
    ['-asr', [{ stage: 'asr', kind: 'remove' }]],
    [
      'asr+1ms,-network',
      [
        { stage: 'asr', kind: 'shift', byMs: 1 },
        { stage: 'network', kind: 'remove' },
      ],
    ],
  ])('%s', (text, changes) => expect(parseWhatIf(text, stages)).toEqual({ name: text, changes }));

  it('may have a name', () =>
    expect(parseWhatIf('bigger model = asr*2', stages)).toEqual({
      name: 'bigger model',
      changes: [{ stage: 'asr', kind: 'scale', factor: 2 }],
    }));

  it.each([
    ['asrr+5ms', /"asrr" .* is not a stage of the budget \(did you mean "asr"\?\)/],
    ['asr+5', /"5" has no unit/],
    ['asr*fast', /"asr\*fast" .* is not a change/],
    ['asr*1.2.3', /"1.2.3" .* is not a factor/],
    ['asr', /"asr" .* is not a change/],
    ['asr+1ms,', /"" .* is not a change/],
    ['', /"" .* is not a change/],
  ])('refuses "%s"', (text, message) => expect(() => parseWhatIf(text, stages)).toThrow(message));
});
