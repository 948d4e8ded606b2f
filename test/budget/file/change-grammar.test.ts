import { describe, expect, it } from 'vitest';
import { parseWhatIf } from '../../../src/budget/file/change-grammar.ts';
import type { SpeechfbError } from '../../../src/errors.ts';

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

describe('a what-if that is refused', () => {
  const messageOf = (text: string) => {
    try {
      parseWhatIf(text, stages);
    } catch (error) {
      const { code, message, hint } = error as SpeechfbError;
      return [code, message, hint];
    }
    return [];
  };

  it.each<[string, string, string | undefined]>([
    [
      ' asr ',
      '"asr" in the what-if " asr " is not a change',
      'write asr+100ms, asr-50ms, asr*1.5, asr<=200ms or -asr; several with commas between',
    ],
    [
      '-netwrk',
      '"netwrk" in the what-if "-netwrk" is not a stage of the budget (did you mean "network"?); its stages: network, asr, edge-to-inference, mobile-4g',
      undefined,
    ],
    ['asr*1e999', '"1e999" in the what-if "asr*1e999" is not a factor; write a number, asr*1.5', undefined],
    ...['x-asr!', '!-asr', '-asr!', '-4g', '!asr+5ms', '4g+5ms', 'asr+5ms!', 'asr+ms', 'asr<5ms', 'asr+.x'].map(
      (text): [string, string, string] => [
        text,
        `"${text}" in the what-if "${text}" is not a change`,
        'write asr+100ms, asr-50ms, asr*1.5, asr<=200ms or -asr; several with commas between',
      ],
    ),
  ])('"%s": its code, what is wrong and what to write', (text, message, hint) =>
    expect(messageOf(text)).toEqual(['bad_what_if', message, hint]),
  );

  it.each([
    [' slower  =  asr + .5s , - ', '"-"'],
    ['a = b = asr*2', '"b = asr*2"'],
    ['= asr*2', '"= asr*2"'],
  ])('"%s" has %s for a change', (text, part) =>
    expect(messageOf(text)[1]).toBe(`${part} in the what-if "${text}" is not a change`),
  );

  it.each([
    [' two words =asr+1ms', 'two words'],
    ['x=asr<=1ms', 'x'],
    [' asr<=1ms ', 'asr<=1ms'],
    ['  asr  -  1ms  ', 'asr  -  1ms'],
  ])('"%s" is named "%s"', (text, name) => expect(parseWhatIf(text, stages).name).toBe(name));
});
