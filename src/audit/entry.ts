import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';

/** What somebody does, for the log. */
export type AuditFields = {
  /** The name of the token that it was done with; `speechfb`: the server itself. */
  actor: string;
  /** What is done, as `drain.start`. */
  action: string;
  /** To what, as `gateway` or the name of a tenant. */
  target: string;
  /** What is different afterwards: plain data. */
  diff: unknown;
  /** Why, in the words of who did it. */
  reason: string;
};

/** One line of an audit log. */
export type AuditEntry = AuditFields & {
  /** From 1, one more with each entry. */
  seq: number;
  /** Wall clock, ISO 8601 in UTC. */
  at: string;
  /** `hash` of the entry before; zeros in the first. */
  prev: string;
  /** SHA-256 of the line without this key, in hexadecimal. */
  hash: string;
};

/** Names the last entry of a log: kept elsewhere, it shows when the end was cut off. */
export type AuditHead = { seq: number; hash: string };

/** What the first entry follows. */
export const genesis: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** The entry that follows `head`, and its line without the line break. */
export function nextEntry(fields: AuditFields, head: AuditHead, at: Date): { entry: AuditEntry; line: string } {
  const unsealed = { ...boundedFields(fields), seq: head.seq + 1, at: at.toISOString(), prev: head.hash };
  const entry = { ...unsealed, hash: hashOf(unsealed) };
  return { entry, line: canonicalJson(entry) };
}

/** The entry of a line, or why it is not as it was written. */
export function readEntry(line: string): AuditEntry | string {
  if (line.length > longestLine) return `it is longer than the ${longestLine} characters of any entry`;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'it is no JSON';
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: 'unlike one' }] = parsed.error.issues;
    return `it is no entry of an audit log (${[path.join('.'), message].filter((part) => part !== '').join(': ')})`;
  }
  const { hash, ...unsealed } = parsed.data;
  if (hashOf(unsealed) !== hash) return 'its hash is not that of what it says';
  if (canonicalJson(parsed.data) !== line) return 'it is not spelled as it was written';
  return parsed.data;
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const schema = z.strictObject({
  seq: z.int().min(1),
  at: z.iso.datetime(),
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  diff: z.json(),
  reason: z.string(),
  prev: sha256,
  hash: sha256,
});

function hashOf(unsealed: Omit<AuditEntry, 'hash'>): string {
  return createHash('sha256').update(canonicalJson(unsealed)).digest('hex');
}

/**
 * The fields as JSON has them: what cannot be said in JSON is null, and a diff beyond all measure
 * is its digest.
 */
function boundedFields({ actor, action, target, diff, reason }: AuditFields): AuditFields {
  const plain: unknown = JSON.parse(JSON.stringify(diff) ?? 'null');
  const text = canonicalJson(plain);
  const digest = () => ({ sha256: createHash('sha256').update(text).digest('hex'), characters: text.length });
  const cut = (given: string): string => given.slice(0, longestField);
  return {
    actor: cut(actor),
    action: cut(action),
    target: cut(target),
    diff: text.length > longestDiff ? digest() : plain,
    reason: cut(reason),
  };
}

/** Characters of a line; a hidden character in a field takes six. */
const longestLine = 200_000;
const longestDiff = 60_000;
const longestField = 2_000;
