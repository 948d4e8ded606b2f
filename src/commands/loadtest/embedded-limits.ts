import { badConfig } from '../../config/yaml.ts';
import type { Problem } from '../../errors.ts';
import type { LoadScenario } from '../../load/scenario/scenario.ts';
import type { LimitName } from '../../protocol/limit-ranges.ts';
import { conflictsOf } from '../../server/limit-conflicts.ts';
import { type Limits, limitsFrom, wireName } from '../../server/limits.ts';

/**
 * Tells limits of the server that the scenario starts where they contradict one another, each at
 * its place.
 *
 * @throws SpeechfbError `bad_config`
 */
export function checkEmbeddedLimits({ spec, file, at }: LoadScenario): void {
  const { embedded, url } = spec.target;
  if (url !== undefined || !embedded) return;
  const { limits = {} } = embedded;
  const problems: Problem[] = [];
  const problem = (path: readonly string[], message: string): void => {
    const full = ['spec', 'target', 'embedded', ...path];
    problems.push({ where: at(full), message: `${full.join('.')}: ${message}` });
  };
  const own = { max_sessions: embedded.maxSessions, resume_ttl_ms: embedded.resumeTtl };
  const given: Record<string, number> = { ...limits };
  for (const name of ['max_sessions', 'resume_ttl_ms'] as const) {
    const [one, other] = [own[name], limits[name]];
    if (one === undefined) continue;
    if (other !== undefined && other !== one) problem(['limits', name], `${other} contradicts ${keys[name]} (${one})`);
    given[name] = one;
  }
  const isOwn = (name: LimitName): name is keyof typeof keys => limits[name] === undefined && name in keys;
  const pathOf = (name: LimitName): string[] => (isOwn(name) ? [keys[name]] : ['limits', name]);
  const part = limitsOf(given);
  for (const { limits: pair, message } of conflictsOf(limitsFrom(part), Object.keys(part))) {
    const [first, second] = pair.map(wireName);
    problem(pathOf(first! in given ? first! : second!), message);
  }
  if (problems.length > 0) throw badConfig(file, problems);
}

/** Limits that have a key of their own. */
const keys = { max_sessions: 'maxSessions', resume_ttl_ms: 'resumeTtl' } as const;

function limitsOf(given: Readonly<Record<string, number>>): Partial<Limits> {
  const names = Object.keys(limitsFrom()) as (keyof Limits)[];
  return Object.fromEntries(names.flatMap((name) => (wireName(name) in given ? [[name, given[wireName(name)]]] : [])));
}
