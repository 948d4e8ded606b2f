import { SpeechfbError } from '../../errors.ts';
import { defaultLimits, type Limits, wireName } from '../../server/limits.ts';
import { didYouMean } from '../../suggest.ts';

/**
 * The limits under the names that docs/protocol.md and `ready` use: `idle_timeout_ms` for
 * `idleTimeoutMs`.
 */
const limitNames = new Map((Object.keys(defaultLimits) as (keyof Limits)[]).map((name) => [wireName(name), name]));

/**
 * One limit from `name=value`. Errors: `bad_flag` for an unknown name or a value that is not a
 * positive number.
 */
export function parseLimit(text: string): Partial<Limits> {
  const [name = '', value = ''] = text.split('=', 2);
  const limit = limitNames.get(name);
  if (!limit) {
    const names = [...limitNames.keys()];
    const hint = `limits: ${names.join(', ')}`;
    throw new SpeechfbError('bad_flag', `"${name}" is not a limit${didYouMean(name, names)}`, { hint });
  }
  const number = Number(value);
  if (!(number > 0 && Number.isFinite(number))) {
    throw new SpeechfbError('bad_flag', `"${value}" is not a value for ${name}; allowed: a number above 0`);
  }
  return { [limit]: number };
}
