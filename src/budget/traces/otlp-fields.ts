import { type SplitLabel, splitLabels } from './split-labels.ts';

/** What the attributes of a span or a resource say of its trace. */
export type TraceAttributes = Partial<Record<SplitLabel | 'session' | 'stage' | OwnAttribute, string>>;

/** What `speechfb serve` says of its own spans, and why it kept an utterance. */
type OwnAttribute = (typeof ownAttributes)[number];

/**
 * The attributes that name a stage, a session or a label, with or without `speechfb.` before them.
 */
export function attributesOf(owner: unknown): TraceAttributes {
  const found: TraceAttributes = {};
  for (const attribute of listAt(owner, 'attributes') ?? []) {
    const written = String(otlpField(attribute, 'key') ?? '');
    const key = written.replace(/^speechfb\./, '');
    const value = otlpField(otlpField(attribute, 'value'), 'stringValue');
    const names = key === written ? attributeNames : [...attributeNames, ...ownAttributes];
    const name = names.find((each) => each === key);
    if (name && typeof value === 'string') found[name] = value;
  }
  return found;
}

/**
 * Ms of nanoseconds as text or number; a whole epoch does not fit a double, its milliseconds and
 * their fraction do.
 */
export function unixMs(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^\d+$/.test(text)) return undefined;
  const nanos = BigInt(text);
  return Number(nanos / 1_000_000n) + Number(nanos % 1_000_000n) / 1e6;
}

/**
 * A field by its camelCase name, or as some encoders write it, by that of the .proto: `trace_id`.
 */
export function otlpField(owner: unknown, key: string): unknown {
  if (typeof owner !== 'object' || owner === null) return undefined;
  const value = (owner as Record<string, unknown>)[key];
  if (value !== undefined) return value;
  return (owner as Record<string, unknown>)[key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

/**
 * An id as it is compared: OTLP's JSON writes hexadecimal digits, which some encoders put in
 * capitals; an id of zeros alone is no id, as an empty one. Undefined when it is no text.
 */
export function idAt(owner: unknown, key: string): string | undefined {
  const id = otlpField(owner, key);
  if (typeof id !== 'string') return undefined;
  const trimmed = id.trim();
  if (/^0*$/.test(trimmed)) return '';
  return /^[0-9a-f]+$/i.test(trimmed) ? trimmed.toLowerCase() : trimmed;
}

export function listAt(owner: unknown, key: string): unknown[] | undefined {
  const list = otlpField(owner, key);
  return Array.isArray(list) ? list : undefined;
}

const attributeNames = [...splitLabels, 'session', 'stage'] as const;
const ownAttributes = ['span', 'kept'] as const;
