import type { z } from 'zod';
import { isObject } from './json.ts';
import { type Pointer, showPointer, withValueAt } from './pointer.ts';
import { variableProblems } from './variables.ts';

type LooseCondition = string | readonly { pointer: Pointer; literals: readonly unknown[] }[];
type LooseRule = {
  when?: LooseCondition | undefined;
  has?: readonly Pointer[] | undefined;
  is?: string;
  text?: Pointer | undefined;
  coversTo?: readonly Pointer[] | undefined;
  words?: { at?: Pointer; end?: Pointer | undefined } | undefined;
  ends?: unknown;
} & Record<string, unknown>;

/** A spec of which anything may have other problems. */
type LooseMapping = {
  connect?: unknown;
  grpc?: unknown;
  audio?: { as?: string | undefined; of?: unknown; in?: Pointer | undefined };
  reach?: string | undefined;
  open?: unknown;
  utteranceBegin?: unknown;
  utteranceOver?: unknown;
  keepAlive?: unknown;
  close?: unknown;
  receive?: unknown;
};

type Report = (path: readonly PropertyKey[], message: string) => void;

/** What the parts of a mapping have wrong with one another, each at its place. */
export function checkMapping(spec: LooseMapping, context: z.RefinementCtx): void {
  const problem: Report = (path, message) => context.addIssue({ code: 'custom', path: [...path], message });
  const { open, utteranceBegin, utteranceOver, keepAlive, close, connect } = spec;
  for (const [name, part] of Object.entries({ connect, open, utteranceBegin, utteranceOver, keepAlive, close }))
    for (const { path, message } of variableProblems(part)) problem([name, ...path], message);
  const overGrpc = spec.grpc !== undefined;
  if (spec.audio) checkAudio(spec.audio, overGrpc, problem);
  if (overGrpc) checkCall(spec, problem);
  checkHalfCloses(spec, problem);
  const rules = Array.isArray(spec.receive) ? (spec.receive as LooseRule[]).filter(isObject) : [];
  for (const [index, rule] of rules.entries()) checkRule(rule as LooseRule, index, problem);
  checkOrder(rules as LooseRule[], problem);
  if (rules.length > 0 && !rules.some(({ is }) => is === 'final'))
    problem(['receive'], 'has no rule that is final: no utterance would ever end');
  if (spec.reach === 'replies' && rules.some(tellsPlace))
    problem(['reach'], 'contradicts coversTo and words.end: the messages say how far they reach; keep one');
}

function checkAudio(
  { as, of, in: place }: NonNullable<LooseMapping['audio']>,
  overGrpc: boolean,
  problem: Report,
): void {
  if (overGrpc && as !== undefined) problem(['audio', 'as'], 'is for a WebSocket; over gRPC in names a field of bytes');
  if (!overGrpc && (as === undefined || as === 'binary')) {
    for (const [name, value] of Object.entries({ of, in: place }))
      if (value !== undefined) problem(['audio', name], 'is for base64; a binary message is the sound alone');
    return;
  }
  if (!overGrpc && as !== 'base64') return;
  const what = overGrpc ? 'sound' : 'base64';
  if (!place) problem(['audio'], `has no in: where in the message the ${what} stands, as in: /audio`);
  else if (withValueAt(of ?? {}, place, '') === undefined)
    problem(['audio', 'in'], `${showPointer(place)} has no place in audio.of: something else stands there`);
  // A message of sound is made once for all sessions.
  for (const { path, message } of variableProblems(of, ['sampleRate'])) problem(['audio', 'of', ...path], message);
}

/** A call has no URL: its method is named, and what a URL would say is in its messages. */
function checkCall({ connect }: LooseMapping, problem: Report): void {
  if (!isObject(connect)) return;
  for (const name of ['path', 'query', 'subprotocols'])
    if (connect[name] !== undefined) problem(['connect', name], 'is for a WebSocket; a call of gRPC has headers alone');
}

function checkHalfCloses({ grpc, connect, ...lists }: LooseMapping, problem: Report): void {
  const { utteranceBegin, utteranceOver, close } = lists;
  for (const [name, steps] of Object.entries({ utteranceBegin, utteranceOver, close }))
    for (const [index, step] of listOf(steps).entries()) {
      if (!isObject(step) || step.halfClose === undefined) continue;
      const path = [name, index, 'halfClose'];
      if (grpc === undefined) problem(path, 'is for grpc; a WebSocket is closed as a whole');
      else if (name === 'utteranceBegin')
        problem(path, 'closes the stream before the sound; it belongs in utteranceOver');
      else if (index < listOf(steps).length - 1) problem(path, 'is not the last step: nothing can be sent behind it');
      else if (name === 'utteranceOver' && isObject(connect) && connect.for === 'session')
        problem(path, 'ends the stream, and connect.for is session; write connect: {for: utterance}');
    }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What belongs to which rules, besides when, has and is. */
const belongs: Readonly<Record<string, readonly string[]>> = {
  text: ['partial', 'final'],
  textIs: ['partial', 'final'],
  coversTo: ['partial', 'final', 'ack'],
  unit: ['partial', 'final', 'ack'],
  countsFrom: ['partial', 'final', 'ack'],
  words: ['partial', 'final'],
  ends: ['final'],
  message: ['error'],
  code: ['error'],
  retryAfter: ['error'],
};

function checkRule(rule: LooseRule, index: number, problem: Report): void {
  const at = (...path: PropertyKey[]) => ['receive', index, ...path];
  const conditions = typeof rule.when === 'object' ? rule.when : [];
  if (rule.when === undefined && rule.has === undefined)
    problem(at(), 'matches every message; write when: {type: partial}, or has: /text');
  else if (rule.when !== undefined && typeof rule.when !== 'string' && conditions.length === 0 && !rule.has)
    problem(at('when'), 'is empty: it matches every message');
  for (const [key, kinds] of Object.entries(belongs))
    if (rule[key] !== undefined && rule.is !== undefined && !kinds.includes(rule.is))
      problem(at(key), `is for rules that are ${kinds.join(' or ')}; this one is ${rule.is}`);
  if (rule.is === 'ack' && !rule.coversTo) problem(at(), 'is an ack without coversTo: it would say nothing');
  if (rule.is === 'partial' && !rule.text && !rule.words)
    problem(at(), 'is partial and has neither text nor words: it would show nothing');
  const twice = conditions.find(({ pointer }, place) =>
    conditions.some((other, otherPlace) => otherPlace < place && same(other.pointer, pointer)),
  );
  if (twice) problem(at('when'), `compares ${showPointer(twice.pointer)} twice: it would match nothing`);
  if (typeof rule.when === 'string' && (rule.has || rule.text || rule.words || rule.coversTo))
    problem(at(), 'is for a message that is no JSON, which has nothing at any pointer');
  checkPointers(rule, conditions, at, problem);
}

/** A pointer that goes through what is a literal by `when` leads nowhere. */
function checkPointers(
  rule: LooseRule,
  conditions: readonly { pointer: Pointer }[],
  at: (...path: PropertyKey[]) => PropertyKey[],
  problem: Report,
): void {
  const named: [path: PropertyKey[], pointer: Pointer | undefined][] = [
    [['text'], rule.text],
    [['words', 'at'], rule.words?.at],
    ...(rule.coversTo ?? []).map((one): [PropertyKey[], Pointer] => [['coversTo'], one]),
    ...(rule.has ?? []).map((one): [PropertyKey[], Pointer] => [['has'], one]),
    ...['message', 'code', 'retryAfter'].map((key): [PropertyKey[], Pointer] => [[key], rule[key] as Pointer]),
  ];
  for (const [path, pointer] of named) {
    const through =
      pointer && conditions.find((one) => one.pointer.length < pointer.length && begins(one.pointer, pointer));
    if (pointer && through)
      problem(
        at(...path),
        `${showPointer(pointer)} leads nowhere: ${showPointer(through.pointer)} is a literal by when`,
      );
  }
}

/** A rule is never reached when one before it matches all that it matches. */
function checkOrder(rules: readonly LooseRule[], problem: Report): void {
  for (const [index, rule] of rules.entries()) {
    const before = rules.findIndex((one, place) => place < index && matchesAllOf(one, rule));
    if (before >= 0)
      problem(['receive', index], `is never reached: spec.receive.${before} matches every message that it does`);
  }
}

function matchesAllOf(general: LooseRule, special: LooseRule): boolean {
  if (typeof general.when === 'string' || typeof special.when === 'string') return general.when === special.when;
  const conditions = special.when ?? [];
  const demanded = general.when ?? [];
  if (demanded.length === 0 && !general.has) return false;
  return (
    demanded.every((one) =>
      conditions.some(
        ({ pointer, literals }) =>
          same(pointer, one.pointer) && literals.every((value) => one.literals.includes(value)),
      ),
    ) &&
    (general.has ?? []).every(
      (one) =>
        (special.has ?? []).some((has) => same(has, one)) || conditions.some(({ pointer }) => same(pointer, one)),
    )
  );
}

function tellsPlace(rule: { [key: string]: unknown }): boolean {
  return rule.coversTo !== undefined || (isObject(rule.words) && rule.words.end !== undefined);
}

function same(one: Pointer, other: Pointer): boolean {
  return one.length === other.length && begins(one, other);
}

/** `one` is the beginning of `other`, or all of it. */
function begins(one: Pointer, other: Pointer): boolean {
  return one.length <= other.length && one.every((step, i) => step === other[i]);
}
