import { SpeechfbError } from '../../../errors.ts';
import { type LimitName, limitNames, limitProblem } from '../../../protocol/limit-ranges.ts';
import { conflictsOf } from '../../../server/limit-conflicts.ts';
import { defaultLimits, type Limits, limitsFrom, wireName } from '../../../server/limits.ts';
import { didYouMean } from '../../../suggest.ts';

/** Limits with a flag of their own among them; times in ms. */
export type LimitFlags = {
  limit?: Partial<Limits>;
  maxSessions?: number;
  resumeTtl?: number;
  drain?: number;
};

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
 * The limits that the flags set, each of which holds, with the connections that follow sessions.
 *
 * @throws SpeechfbError `bad_flag` for what contradicts itself
 */
export function limitsOfFlags({ limit = {}, maxSessions, resumeTtl, drain }: LimitFlags): Partial<Limits> {
  const given = { maxSessions, resumeTtlMs: resumeTtl, drainMs: drain };
  const own: Partial<Limits> = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  for (const name of ['maxSessions', 'resumeTtlMs', 'drainMs'] as const) {
    const [one, other] = [own[name], limit[name]];
    if (one === undefined || other === undefined || one === other) continue;
    const message = `${flagOf[name]} (${one}) contradicts --limit ${wireName(name)}=${other}`;
    throw new SpeechfbError('bad_flag', message, { hint: 'give one of the two' });
  }
  const all = { ...limit, ...own };
  checkLimits(all);
  return { ...all, maxConnections: limitsFrom(all).maxConnections };
}

const flagOf = { maxSessions: '--max-sessions', resumeTtlMs: '--resume-ttl', drainMs: '--drain' } as const;

/**
 * Checks limits that bound one another, those that were not given among them.
 *
 * @throws SpeechfbError `bad_flag`
 */
export function checkLimits(given: Partial<Limits>): void {
  const [conflict] = conflictsOf(limitsFrom(given), Object.keys(given));
  if (!conflict) return;
  const hint = conflict.both && `set both, as ${conflict.both.map((text) => `--limit ${text}`).join(' ')}`;
  throw new SpeechfbError('bad_flag', `--limit: ${conflict.message}`, hint === undefined ? {} : { hint });
}
