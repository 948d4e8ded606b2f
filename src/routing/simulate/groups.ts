import { SpeechfbError } from '../../errors.ts';
import { parsePercent } from '../../units.ts';
import type { LearnerGroup } from './simulate.ts';

/**
 * Reads `en=90% es=8% sw=2%`: the languages that learners speak. Throws `bad_flag` with the term
 * that cannot be read, or the sum that is not 100%.
 */
export function parseLanguages(text: string): LearnerGroup[] {
  const groups = text
    .split(/\s+/)
    .filter((term) => term !== '')
    .map((term): LearnerGroup => {
      const [, language, amount] = /^([a-z]{2,3})=(.+)$/i.exec(term) ?? [];
      if (language === undefined || amount === undefined)
        throw bad(`"${term}" is not a language and its share, as es=8%`);
      return { language: language.toLowerCase(), lane: 'live', share: shareOf(amount) };
    });
  const total = groups.reduce((sum, { share }) => sum + share, 0);
  if (Math.abs(total - 1) > 1e-9) throw bad(`shares add up to ${Number((total * 100).toFixed(6))}%, not 100%`);
  const twice = groups.find(({ language }, at) => groups.findIndex((one) => one.language === language) < at);
  if (twice) throw bad(`"${twice.language}" is there twice`);
  return groups;
}

function shareOf(amount: string): number {
  try {
    return parsePercent(amount);
  } catch (error) {
    throw error instanceof SpeechfbError ? bad(error.message) : error;
  }
}

function bad(message: string): SpeechfbError {
  return new SpeechfbError('bad_flag', `--languages: ${message}`);
}
