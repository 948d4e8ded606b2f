import { SpeechfbError } from '../../../errors.ts';
import { type LimitName, limitNames, limitProblem } from '../../../protocol/limit-ranges.ts';
import { conflictOf } from '../../../server/limit-conflicts.ts';
import { defaultLimits, type Limits, wireName } from '../../../server/limits.ts';
import { didYouMean } from '../../../suggest.ts';

/** The limits under the names that docs/protocol.md uses: `idle_timeout_ms` for `idleTimeoutMs`. */
const limits = new Map((Object.keys(defaultLimits) as (keyof Limits)[]).map((limit) => [wireName(limit), limit]));

/**
 * One limit from `name=value`. Errors: `bad_flag` for an unknown name, or a value that is no number
 * or outside what the limit may be.
 */
export function parseLimit(text: string): Partial<Limits> {
  const { name = '', value = '' } = /^(?<name>[^=]*)=(?<value>.*)$/s.exec(text)?.groups ?? { name: text };
  const limit = limits.get(name as LimitName);
  if (!limit) {
    const hint = `limits: ${limitNames.join(', ')}`;
    throw new SpeechfbError('bad_flag', `"${name}" is not a limit${didYouMean(name, limitNames)}`, { hint });
  }
  const number = /^\d+(\.\d+)?(e\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  const problem = Number.isNaN(number) ? `"${value}" is not a number` : limitProblem(name as LimitName, number);
  if (problem !== undefined) throw new SpeechfbError('bad_flag', `${name}: ${problem}`);
  return { [limit]: number };
}

/**
 * Checks limits that bound one another, those that were not given among them.
 *
 * @throws SpeechfbError `bad_flag`
 */
export function checkLimits(given: Partial<Limits>): void {
  const conflict = conflictOf({ ...defaultLimits, ...given });
  if (!conflict) return;
  const hint = conflict.both && `set both, as ${conflict.both.map((text) => `--limit ${text}`).join(' ')}`;
  throw new SpeechfbError('bad_flag', `--limit: ${conflict.message}`, hint === undefined ? {} : { hint });
}
