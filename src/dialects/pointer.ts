import { isObject } from './json.ts';

/** A JSON Pointer (RFC 6901), taken apart into the names of its steps. */
export type Pointer = readonly string[];

/** Takes `/a/b~1c/0` apart; undefined for what is no pointer. */
export function parsePointer(text: string): Pointer | undefined {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function showPointer(pointer: Pointer): string {
  return pointer.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** What stands there; undefined where nothing does. A list is entered by a number. */
export function valueAt(value: unknown, pointer: Pointer): unknown {
  let at = value;
  for (const step of pointer) {
    if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(step) ? at[Number(step)] : undefined;
    else if (isObject(at) && Object.hasOwn(at, step)) at = at[step];
    else return undefined;
  }
  return at;
}

/**
 * The value with `inserted` at the pointer, whose parents are objects that are there, or are made;
 * undefined where something else is in the way.
 */
export function withValueAt(value: unknown, pointer: Pointer, inserted: unknown): unknown {
  const [step, ...rest] = pointer;
  if (step === undefined) return inserted;
  if (value !== undefined && !isObject(value)) return undefined;
  const own = value && Object.hasOwn(value, step) ? value[step] : undefined;
  if (rest.length === 0 && own !== undefined) return undefined;
  const inner = withValueAt(own, rest, inserted);
  return inner === undefined ? undefined : { ...value, [step]: inner };
}
