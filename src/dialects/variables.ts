import { didYouMean } from '../suggest.ts';
import { isObject } from './json.ts';

/** What a mapping may name in what it sends: `{sampleRate}`. Nothing else is filled in. */
const variableNames = ['sampleRate', 'language', 'reference', 'session'] as const;
type VariableName = (typeof variableNames)[number];
export type Variables = Readonly<Record<VariableName, string | number>>;

/** A name in braces, alone: `{"eof" : 1}` is text of a protocol. */
const pattern = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;

/**
 * The value with every variable in its texts filled in. A text that is nothing but a variable gets
 * its value, so that `"{sampleRate}"` becomes a number.
 */
export function filledIn(value: unknown, variables: Variables, encode = (text: string) => text): unknown {
  if (typeof value === 'string') {
    const whole = /^\{(\w+)\}$/.exec(value)?.[1];
    if (isVariable(whole)) return variables[whole];
    return value.replace(pattern, (all, name: string) => (isVariable(name) ? encode(`${variables[name]}`) : all));
  }
  if (Array.isArray(value)) return value.map((one) => filledIn(one, variables, encode));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledIn(one, variables, encode)]));
}

/**
 * What is wrong with the variables in a value, each at its path; `allowed` of them may stand there.
 */
export function variableProblems(
  value: unknown,
  allowed: readonly string[] = variableNames,
  path: readonly PropertyKey[] = [],
): { path: readonly PropertyKey[]; message: string }[] {
  if (typeof value === 'string') {
    const unknown = [...value.matchAll(pattern)].map(([, name]) => name!).find((name) => !allowed.includes(name));
    if (unknown === undefined) return [];
    const names = allowed.map((name) => `{${name}}`).join(', ');
    return [{ path, message: `{${unknown}} is not filled in here${didYouMean(unknown, allowed)}; allowed: ${names}` }];
  }
  if (Array.isArray(value)) return value.flatMap((one, i) => variableProblems(one, allowed, [...path, i]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, one]) => variableProblems(one, allowed, [...path, key]));
}

function isVariable(name: string | undefined): name is VariableName {
  return variableNames.some((one) => one === name);
}
