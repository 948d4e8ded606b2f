import type { HeardError, HeardWord } from './dialect.ts';
import { isObject, noJson } from './json.ts';
import { type Condition, msOfUnit, type Rule } from './mapping-schema.ts';
import { type Pointer, showPointer, valueAt } from './pointer.ts';

/** A message as rules see it: JSON, or a text that is none. */
export type Message = { text: string; value: unknown };

/** Reads a text message; what is no JSON may still be a text that a rule knows. */
export function messageOf(text: string): Message {
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    return { text, value: undefined };
  }
}

export function meets({ text, value }: Message, condition: Condition): boolean {
  if (typeof condition === 'string') return text.trim() === condition;
  return condition.every(({ pointer, literals }) => literals.some((one) => one === valueAt(value, pointer)));
}

export function matches(rule: Rule, message: Message): boolean {
  if (rule.when !== undefined && !meets(message, rule.when)) return false;
  return (rule.has ?? []).every((pointer) => valueAt(message.value, pointer) !== undefined);
}

/** What a rule reads from a message that it matches, or a pointer of it that leads nowhere. */
export type ReadByRule = {
  text: string | undefined;
  coversMs: number | undefined;
  words: HeardWord[] | undefined;
};

/** `utteranceMs`: where the utterance begins in the sound of the connection. */
export function readBy(rule: Rule, { value }: Message, utteranceMs: number): ReadByRule | { nowhere: Pointer } {
  const fromMs = rule.countsFrom === 'utterance' ? utteranceMs : 0;
  const text = rule.text && valueAt(value, rule.text);
  if (rule.text && typeof text !== 'string') return { nowhere: rule.text };
  const unit = msOfUnit(rule.unit ?? 's');
  let coversMs: number | undefined = rule.coversTo && fromMs;
  for (const pointer of rule.coversTo ?? []) {
    const part = numberOf(valueAt(value, pointer));
    if (part === undefined) return { nowhere: pointer };
    coversMs = coversMs! + part * unit;
  }
  const words = rule.words && wordsBy(rule.words, value, fromMs, rule.is === 'final');
  if (words && 'nowhere' in words) return words;
  return {
    text: text as string | undefined,
    coversMs: coversMs ?? words?.findLast(({ endMs }) => endMs !== undefined)?.endMs,
    words,
  };
}

/** A server's error in its own words; the whole message where the rule does not find them. */
export function errorBy(rule: Rule, { text, value }: Message): HeardError {
  const shown = (pointer: Pointer | undefined) => {
    const found = pointer && valueAt(value, pointer);
    return typeof found === 'string' || typeof found === 'number' ? `${found}` : undefined;
  };
  const code = shown(rule.code);
  const seconds = rule.retryAfter && numberOf(valueAt(value, rule.retryAfter));
  return {
    is: 'error',
    message: shown(rule.message) ?? text.slice(0, mostShown),
    ...(code !== undefined && { code }),
    ...(seconds !== undefined && { retryable: true, retryAfterMs: seconds * 1000 }),
  };
}

const mostShown = 300;

function wordsBy(
  { at, text, end, final, unit }: NonNullable<Rule['words']>,
  value: unknown,
  fromMs: number,
  settled: boolean,
): HeardWord[] | { nowhere: Pointer } {
  const list = valueAt(value, at);
  if (!Array.isArray(list)) return { nowhere: at };
  const words: HeardWord[] = [];
  for (const [place, one] of list.entries()) {
    const shown = valueAt(one, text);
    if (typeof shown !== 'string') return { nowhere: [...at, `${place}`, ...text] };
    const endMs = end && numberOf(valueAt(one, end));
    words.push({
      text: shown,
      ...(endMs !== undefined && { endMs: fromMs + endMs * msOfUnit(unit) }),
      final: settled || (final !== undefined && valueAt(one, final) === true),
    });
  }
  return words;
}

/** A number, or one that is written as a text, as JSON of 64-bit integers has it. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A sentence on a message that no rule is for. */
export function unmatched({ text, value }: Message): string {
  if (value === undefined) return `${noJson(text)}, and no rule is for that text`;
  const type = isObject(value)
    ? ['type', 'message_type', 'event', 'mode'].find((key) => typeof value[key] === 'string')
    : undefined;
  return type === undefined || !isObject(value)
    ? 'no rule matches it'
    : `no rule matches it: ${type} is ${JSON.stringify(value[type]).slice(0, 60)}`;
}

export function leadsNowhere(rule: number, pointer: Pointer): string {
  return `spec.receive.${rule} matches it, but nothing fit stands at ${showPointer(pointer)}`;
}
