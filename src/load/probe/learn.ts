import { comparedWords } from '../../scoring/text/compared-words.ts';
import { TranscriptAlignment } from '../meter/transcript-alignment.ts';
import { type Flat, type Leaf, leavesOf, listsOf } from './flat-json.ts';
import { type TimeField, timeField } from './learn-times.ts';
import type { ProbeClip } from './reading.ts';

/** A message as it came, ms from the first sample of the clip on. */
export type SeenMessage = { atMs: number; raw: string | Uint8Array };

/** A literal at a place that tells some messages from others. */
export type Sign = { pointer: string; value: Leaf['value'] };

/** What a rule of the mapping is to say. */
export type LearnedRule = {
  is: 'partial' | 'final' | 'error' | 'nothing';
  when: readonly Sign[];
  has: string | undefined;
  /** Messages that it was made from. */
  seen: number;
  text?: string;
  textIs?: 'whole' | 'delta';
  time?: TimeField;
  words?: { at: string; text: string; end?: string; unit?: TimeField['unit'] };
  message?: string;
};

export type Learned = {
  rules: readonly LearnedRule[];
  /** What could not be found out, for who reads the mapping, in sentences. */
  doubts: readonly string[];
};

/**
 * A first mapping from what a server said while a known text was read: the field whose words are
 * those of the text, the number that grows as the sound does, and the literals that tell a partial
 * from a final. By literals alone, as mappings are.
 */
export function learn(seen: readonly SeenMessage[], clip: ProbeClip): Learned {
  const messages = seen.flatMap(({ atMs, raw }) => {
    const value = jsonOf(raw);
    return value === undefined ? [] : [{ atMs, value, leaves: leavesOf(value) }];
  });
  const doubts: string[] = [];
  const strange = seen.length - messages.length;
  if (strange > 0) doubts.push(`${strange} of ${seen.length} messages are no JSON objects; they are left out`);
  const reference = comparedWords(clip.text, clip.language);
  const fields = textFields(messages, reference, clip.language);
  if (fields.length === 0) {
    doubts.push('no field shows words of the text: was the sound understood, and is --text what is read?');
    return { rules: otherRules(messages, []), doubts };
  }
  const rules = fields.flatMap((field) => textRules(field, fields, messages, clip, doubts));
  const said = messages.filter((one) => fields.some((field) => field.messages.includes(one)));
  return { rules: [...rules, ...otherRules(messages, said)], doubts };
}

/** A place at which messages have text of what is read; with `within`, in the items of a list. */
type TextField = { pointer: string; within?: string; delta: boolean; right: number; messages: readonly Flat[] };

function jsonOf(raw: string | Uint8Array): object | undefined {
  if (typeof raw !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The places that show most of the text: one, or two where a server has a field for partials and
 * another for finals.
 */
function textFields(messages: readonly Flat[], reference: readonly string[], language: string): TextField[] {
  const texts = new Map<string, { one: Flat; text: string }[]>();
  const put = (key: string, one: Flat, text: string) => {
    const values = texts.get(key);
    if (values) values.push({ one, text });
    else texts.set(key, [{ one, text }]);
  };
  for (const one of messages) {
    for (const { pointer, value } of one.leaves) if (typeof value === 'string') put(pointer, one, value);
    for (const { pointer, items } of listsOf(one.value))
      for (const key of stringKeys(items))
        put(`${pointer}\n/${key}`, one, items.map((item) => field(item, key)).join(' '));
  }
  const found = [...texts].flatMap(([key, values]): TextField[] => {
    const [pointer = '', within] = key.split('\n');
    const words = (text: string) => rightWords(reference, comparedWords(text, language));
    const single = Math.max(...values.map(({ text }) => words(text)));
    const together = words(values.map(({ text }) => text).join(''));
    const delta =
      within === undefined && values.length > 2 && together > 1.5 * single && together * 2 >= reference.length;
    const right = delta ? together : single;
    if (right === 0 || (!delta && right * 3 < reference.length)) return [];
    const shown = values.filter(({ text }) => text.trim() !== '').map(({ one }) => one);
    return [{ pointer, ...(within !== undefined && { within }), delta, right, messages: shown }];
  });
  return chosen(found);
}

/**
 * The field with most words right, of those the one in more messages, plain text before lists, the
 * shallower first; and one more that is in none of its messages.
 */
function chosen(fields: readonly TextField[]): TextField[] {
  const depth = ({ pointer }: TextField) => pointer.split('/').length;
  const ranked = fields.toSorted(
    (a, b) =>
      Number(a.within !== undefined) - Number(b.within !== undefined) ||
      b.right - a.right ||
      b.messages.length - a.messages.length ||
      depth(a) - depth(b),
  );
  const [first] = ranked;
  if (!first) return [];
  const other = ranked.find(
    (one) => one.within === undefined && one.messages.every((message) => !first.messages.includes(message)),
  );
  const pair = other ? [first, other] : [first];
  return pair.sort((a, b) => a.messages[0]!.atMs - b.messages[0]!.atMs);
}

function stringKeys(items: readonly object[]): string[] {
  return Object.entries(items[0]!).flatMap(([key, value]) => (typeof value === 'string' ? [key] : []));
}

function field(item: object, key: string): string {
  const value = (item as Record<string, unknown>)[key];
  return typeof value === 'string' ? value : '';
}

/** Words of the text that a transcript has right, so far as it goes. */
function rightWords(reference: readonly string[], words: readonly string[]): number {
  const alignment = new TranscriptAlignment(reference);
  alignment.see(words);
  let right = 0;
  alignment.right(false, () => right++);
  return right;
}

function textRules(
  field: TextField,
  all: readonly TextField[],
  messages: readonly Flat[],
  clip: ProbeClip,
  doubts: string[],
): LearnedRule[] {
  const holders = messages.filter(({ leaves, value }) => holds(field, leaves, value));
  const others = messages.filter((one) => !holders.includes(one));
  const common = signsOf(holders, others);
  const time = timeField(holders, clip.soundMs);
  const base = {
    has: common.length > 0 ? undefined : field.pointer,
    ...textOf(field, time),
    ...(field.delta && { textIs: 'delta' as const }),
    ...(time && field.within === undefined && { time }),
  };
  if (all.length > 1) {
    const isLast = field === all.at(-1);
    return [{ ...base, is: isLast ? 'final' : 'partial', when: common, seen: holders.length }];
  }
  const final = finalSign(holders, common);
  if (final) {
    const finals = holders.filter((one) => hasSign(one, final));
    const words = grows(field, holders, finals) ? { textIs: 'whole' as const } : {};
    const delta = field.delta && base.textIs === 'delta' ? deltaOf(field, finals, clip) : {};
    const partials = holders.filter((one) => !finals.includes(one));
    const partial = partials[0]?.leaves.find(({ pointer }) => pointer === final.pointer);
    const own = partial && isWord(partial.value) && partials.every((one) => hasSign(one, partial)) ? [partial] : [];
    const when = merged(common, own);
    return [
      { ...base, ...words, ...delta, has: undefined, is: 'final', when: merged(common, [final]), seen: finals.length },
      { ...base, ...words, has: when.length > 0 ? undefined : base.has, is: 'partial', when, seen: partials.length },
    ];
  }
  if (holders.length > 1) {
    const last = 'the first text after the end of the utterance is taken for its final';
    doubts.push(`nothing tells a partial text from a final one: ${last}`);
  }
  return [{ ...base, textIs: field.delta ? 'delta' : 'whole', is: 'final', when: common, seen: holders.length }];
}

/** A final of a server that sends pieces may have the whole text. */
function deltaOf({ pointer }: TextField, finals: readonly Flat[], { text, language }: ProbeClip): { textIs?: 'whole' } {
  const whole = comparedWords(text, language).length;
  const shown = finals.map(({ leaves }) => leaves.find((leaf) => leaf.pointer === pointer)?.value);
  return shown.some((one) => typeof one === 'string' && comparedWords(one, language).length * 2 > whole)
    ? { textIs: 'whole' }
    : {};
}

function textOf(field: TextField, time: TimeField | undefined): Pick<LearnedRule, 'text' | 'words'> {
  if (field.within === undefined) return { text: field.pointer };
  const inside = time?.pointers.length === 1 && time.pointers[0]!.startsWith(`${field.pointer}/`);
  const end = inside ? time.pointers[0]!.replace(/^.*\/\d+(?=\/[^/]+$)/, '') : undefined;
  return { words: { at: field.pointer, text: field.within, ...(end !== undefined && { end, unit: time!.unit }) } };
}

function holds({ pointer, within }: TextField, leaves: readonly Leaf[], value: object): boolean {
  if (within === undefined) return leaves.some((leaf) => leaf.pointer === pointer && typeof leaf.value === 'string');
  return listsOf(value).some((list) => list.pointer === pointer);
}

/** Whether texts after a final begin with it: then each text is of the whole utterance. */
function grows({ pointer, within }: TextField, holders: readonly Flat[], finals: readonly Flat[]): boolean {
  if (within !== undefined) return false;
  const textIn = ({ leaves }: Flat) => `${leaves.find((leaf) => leaf.pointer === pointer)?.value ?? ''}`.trim();
  const first = finals[0];
  const later =
    first &&
    holders
      .slice(holders.indexOf(first) + 1)
      .map(textIn)
      .filter((text) => text !== '');
  return later !== undefined && later.length > 0 && later.every((text) => text.startsWith(textIn(first!)));
}

/**
 * The literals that all of these messages have and none of the others: one that names their kind
 * where there is one.
 */
function signsOf(these: readonly Flat[], others: readonly Flat[]): Sign[] {
  const [first] = these;
  if (!first) return [];
  const shared = first.leaves.filter((leaf) => isWord(leaf.value) && these.every((one) => hasSign(one, leaf)));
  const kind = shared.filter(({ pointer }) => kindKeys.test(pointer)).sort(byDepth)[0];
  const own = shared.filter((leaf) => others.every((one) => !hasSign(one, leaf))).sort(byDepth)[0];
  if (kind && (others.every((one) => !hasSign(one, kind)) || !own)) return [kind];
  return own ? [own] : [];
}

/** What only the last texts have, and what says of itself that it is final before what does not. */
function finalSign(holders: readonly Flat[], common: readonly Sign[]): Sign | undefined {
  const last = holders.at(-1);
  if (!last || holders.length < 2) return undefined;
  const candidates = last.leaves.filter(
    (leaf) =>
      isWord(leaf.value) &&
      !common.some((sign) => sign.pointer === leaf.pointer) &&
      holders.every((one) => one.leaves.some(({ pointer }) => pointer === leaf.pointer)) &&
      holders.filter((one) => hasSign(one, leaf)).length * 2 <= holders.length,
  );
  const says = ({ pointer, value }: Leaf) => finalWords.test(`${pointer} ${value}`) && value !== false;
  const words = (leaf: Leaf) => holders.filter((one) => hasSign(one, leaf)).length;
  const sure = candidates.filter(says).sort((a, b) => words(a) - words(b) || byDepth(a, b))[0];
  return sure ?? candidates.filter(({ value, pointer }) => value === true || kindKeys.test(pointer))[0];
}

/** Rules for errors, and for everything else, each kind by what tells it from the rest. */
function otherRules(messages: readonly Flat[], said: readonly Flat[]): LearnedRule[] {
  const left = messages.filter((one) => !said.includes(one));
  const rules: LearnedRule[] = [];
  for (let rest = left; rest.length > 0; ) {
    const first = rest[0]!;
    const kind = first.leaves.filter(({ pointer, value }) => kindKeys.test(pointer) && isWord(value)).sort(byDepth)[0];
    const key = Object.keys(first.value)[0];
    const has = kind || key === undefined ? undefined : `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const same = rest.filter((one) =>
      kind ? hasSign(one, kind) : one.leaves.some(({ pointer }) => has !== undefined && pointer.startsWith(has)),
    );
    const error = first.leaves.find(({ pointer, value }) => errorKey.test(pointer) && typeof value === 'string');
    const isError = error !== undefined && (!kind || /error|fail/i.test(`${kind.value}`));
    rules.push({
      is: isError ? 'error' : 'nothing',
      when: kind ? [kind] : [],
      has,
      seen: Math.max(1, same.length),
      ...(isError && { message: error.pointer }),
    });
    rest = rest.filter((one) => one !== first && !same.includes(one));
  }
  return rules;
}

function merged(common: readonly Sign[], own: readonly Sign[]): Sign[] {
  return [...common.filter((sign) => !own.some(({ pointer }) => pointer === sign.pointer)), ...own];
}

function hasSign({ leaves }: Flat, { pointer, value }: Sign): boolean {
  return leaves.some((leaf) => leaf.pointer === pointer && leaf.value === value);
}

/** Literals that may name a kind: short words and truth values, no text and no numbers. */
function isWord(value: Leaf['value']): boolean {
  return typeof value === 'boolean' || (typeof value === 'string' && /^[\w.:-]{1,60}$/.test(value));
}

function byDepth(a: { pointer: string }, b: { pointer: string }): number {
  return a.pointer.split('/').length - b.pointer.split('/').length;
}

const kindKeys = /(^|\/)(type|event|message_type|messageType|msg|kind|action|status|state|mode|op|method|name)$/i;
const errorKey = /(^|\/)(error|err_msg|message|reason|description|detail)(\/|$)/i;
const finalWords = /final|finish|complete|end|done|stable|commit/i;
