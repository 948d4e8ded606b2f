import { shown } from '../config/sentences.ts';
import { formatError, SpeechfbError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';

/**
 * What the argument parser says of a command line, in the form and the words of every other error:
 * `--log-level: "loud" is not allowed; allowed: debug, info`.
 */
export function usageError(text: string): string {
  const [said = '', suggestion] = text.trim().split(/\n(?=\(Did you mean)/);
  const hint = suggestion?.replace(/^\((.*)\)$/s, '$1').replace(/^Did/, 'did');
  const message = said.replace(/^error: /, '');
  for (const [pattern, tell] of sentences) {
    const found = pattern.exec(message);
    if (!found) continue;
    const [code, sentence] = tell(...(found.slice(1) as string[]));
    return `${formatError(new SpeechfbError(code, sentence, { ...(hint && { hint }) }))}\n`;
  }
  return `${formatError(new SpeechfbError('bad_usage', message, { ...(hint && { hint }) }))}\n`;
}

type Sentence = readonly ['bad_usage' | 'bad_flag', string];

/** The parser's sentences that are not those of a person, and ours. */
const sentences: readonly (readonly [RegExp, (...parts: string[]) => Sentence])[] = [
  [
    /^option '(\S+)[^']*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s,
    (name = '', value = '', allowed = '') => {
      const meant = didYouMean(value, allowed.split(', '));
      return ['bad_flag', `${name}: ${shown(value)} is not allowed${meant}; allowed: ${allowed}`];
    },
  ],
  [
    /^option '(\S+) (.*)' argument missing$/s,
    (name = '', value = '') => ['bad_usage', `${name} needs a value: ${name} ${value}`],
  ],
  [/^required option '(.*)' not specified$/s, (flags = '') => ['bad_usage', `${flags} is missing, which this needs`]],
  [/^missing required argument '(.*)'$/s, (name = '') => ['bad_usage', `<${name}> is missing, which this needs`]],
  [
    /^option '(\S+)[^']*' cannot be used with option '(\S+)[^']*'$/s,
    (one = '', other = '') => ['bad_usage', `${one} and ${other} do not go together`],
  ],
  [
    /^too many arguments for '(\S+)'\. Expected (\d+) arguments? but got (\d+)\.$/s,
    (verb = '', most = '', given = '') => [
      'bad_usage',
      `${verb} takes ${most === '0' ? 'no argument' : most === '1' ? 'one argument' : `${most} arguments`} and was given ${given}; put quotes round one that has blanks`,
    ],
  ],
];
