import { isMapping } from '../../config/fields.ts';
import { redactUrls } from '../../redact.ts';

/** One place at which two policies differ; absent: there is nothing there. */
export type PolicyChange = { path: string; from?: unknown; to?: unknown };

/**
 * Where two documents differ, by their leaves, in the order of their paths. Entries of lists are
 * named by their names, `backends.deepgram.price`, so that a rule which is put in between changes
 * no other; that entries have other places is said as `rules.order`. Values of keys that hold
 * secrets are never told, but for references as `${env:NAME}`.
 */
export function policyDiff(before: unknown, after: unknown): PolicyChange[] {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort();
  return paths.flatMap((path) => {
    const [from, to] = [was.get(path), is.get(path)];
    if (from?.key === to?.key) return [];
    return [{ path, ...(from && { from: from.told }), ...(to && { to: to.told }) }];
  });
}

/** A document as it may be told: without secrets, but for references to them. */
export function toldPolicy(document: unknown): unknown {
  return told(document, false);
}

/** A value as it is compared, and as it is told. */
type Leaf = { key: string; told: unknown };

function leavesOf(document: unknown): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  const add = (path: readonly string[], value: unknown, isSecret: boolean): void => {
    const secret = isSecret || secretKeys.test(path.at(-1) ?? '');
    if (isMapping(value) && Object.keys(value).length > 0) {
      for (const [key, part] of Object.entries(value)) add([...path, key], part, secret);
    } else if (Array.isArray(value) && value.length > 0 && value.every(isNamed)) {
      for (const part of value as { name: string }[]) add([...path, part.name], part, secret);
      const order = value.map((part) => (part as { name: string }).name);
      leaves.set([...path, 'order'].join('.'), { key: JSON.stringify(order), told: order });
    } else if (path.length > 0) leaves.set(path.join('.'), { key: JSON.stringify(value), told: told(value, secret) });
  };
  add([], document, false);
  return leaves;
}

function isNamed(value: unknown): boolean {
  return isMapping(value) && typeof value.name === 'string';
}

function told(value: unknown, isSecret: boolean): unknown {
  if (Array.isArray(value)) return value.map((part) => told(part, isSecret));
  if (isMapping(value)) {
    const parts = Object.entries(value).map(([key, part]) => [key, told(part, isSecret || secretKeys.test(key))]);
    return Object.fromEntries(parts);
  }
  if (typeof value === 'string') return isSecret && !reference.test(value) ? '***' : redactUrls(value);
  return isSecret ? '***' : value;
}

const secretKeys = /key|token|secret|password|authorization|credential|headers/i;
const reference = /^\$\{env:\w+\}$/;
