import protobuf from 'protobufjs';
import { didYouMean } from '../suggest.ts';
import type { GrpcCall } from './grpc-method.ts';
import { isObject } from './json.ts';
import type { MappingSpec, Rule } from './mapping-schema.ts';
import { type Pointer, showPointer } from './pointer.ts';

/** Something wrong at a path below `spec`. */
type SpecProblem = { path: readonly PropertyKey[]; message: string };

/** The call of a mapping, or what of the mapping does not fit the types of its .proto. */
export function grpcMappingProblems(
  spec: MappingSpec,
  { proto, service: name, method: called }: NonNullable<MappingSpec['grpc']>,
  root: protobuf.Root,
): { call: GrpcCall } | { problems: readonly SpecProblem[] } {
  const services = servicesOf(root);
  const service = services.find((one) => fullName(one) === name);
  if (!service) return wrong('service', name, `is no service of ${proto}`, services.map(fullName));
  const methods = service.methodsArray.filter((one) => one.requestStream && one.responseStream);
  const method = methods.find((one) => one.name === called);
  const names = methods.map((one) => one.name);
  if (!method) {
    const isThere = service.methodsArray.some((one) => one.name === called);
    return wrong('method', called, isThere ? 'does not stream both ways' : `is no method of ${name}`, names);
  }
  const request = typeOf(method, method.requestType);
  const response = typeOf(method, method.responseType);
  if (!request || !response) {
    const missing = request ? method.responseType : method.requestType;
    return {
      problems: [{ path: ['grpc', 'method'], message: `${called} is of the type ${missing}, which is not there` }],
    };
  }
  const problems = [
    ...soundProblems(spec.audio, request),
    ...sentProblems(spec, request),
    ...heardProblems(spec, response),
  ];
  if (problems.length > 0) return { problems };
  const path = `/${name}/${called}`;
  return { call: { path, request: fullName(request), response: fullName(response), types: root.toJSON() } };
}

function wrong(key: string, given: string, what: string, allowed: readonly string[]): { problems: SpecProblem[] } {
  const known = allowed.length === 0 ? 'there is none that streams both ways' : `allowed: ${allowed.join(', ')}`;
  return { problems: [{ path: ['grpc', key], message: `"${given}" ${what}${didYouMean(given, allowed)}; ${known}` }] };
}

function servicesOf(namespace: protobuf.NamespaceBase): protobuf.Service[] {
  return namespace.nestedArray.flatMap((one) => {
    if (one instanceof protobuf.Service) return [one];
    return one instanceof protobuf.Namespace ? servicesOf(one) : [];
  });
}

function typeOf({ parent }: protobuf.Method, name: string): protobuf.Type | undefined {
  const found = parent?.lookup(name, [protobuf.Type]);
  return found instanceof protobuf.Type ? found : undefined;
}

function fullName(object: protobuf.ReflectionObject): string {
  return object.fullName.replace(/^\./, '');
}

function soundProblems({ of = {}, in: place }: MappingSpec['audio'], request: protobuf.Type): SpecProblem[] {
  const problems = messageProblems(of, request).map(({ path, message }) => ({
    path: ['audio', 'of', ...path],
    message,
  }));
  if (!place) return problems;
  const led = follow(request, place);
  if ('message' in led) return [...problems, { path: ['audio', 'in'], message: led.message }];
  if (led.kind === 'bytes') return problems;
  return [...problems, { path: ['audio', 'in'], message: `${showPointer(place)} is no field of bytes` }];
}

/** What is sent has no field that the message lacks: it would be lost without a word. */
function sentProblems(spec: MappingSpec, request: protobuf.Type): SpecProblem[] {
  const { open, utteranceBegin, utteranceOver, close, keepAlive } = spec;
  const lists: readonly [string, readonly { send?: unknown }[]][] = Object.entries({
    open,
    utteranceBegin,
    utteranceOver,
    close,
  });
  const steps = lists.flatMap(([name, list]) => list.map(({ send }, index) => ({ path: [name, index, 'send'], send })));
  return [...steps, { path: ['keepAlive', 'send'], send: keepAlive?.send }].flatMap(({ path, send }) => {
    if (send === undefined) return [];
    if (!isObject(send)) return [{ path, message: 'is a text; over gRPC a message is a mapping of its fields' }];
    return messageProblems(send, request).map((one) => ({ path: [...path, ...one.path], message: one.message }));
  });
}

function messageProblems(value: unknown, type: protobuf.Type): SpecProblem[] {
  if (!isObject(value)) return [{ path: [], message: `is no mapping of the fields of ${type.name}` }];
  return Object.entries(value).flatMap(([name, one]): SpecProblem[] => {
    const field = type.fields[name];
    if (!field) return [{ path: [name], message: noField(type, name) }];
    return fieldProblems(one, field).map(({ path, message }) => ({ path: [name, ...path], message }));
  });
}

function fieldProblems(value: unknown, field: protobuf.Field): SpecProblem[] {
  if (field.repeated) {
    if (!Array.isArray(value)) return [{ path: [], message: 'is no list' }];
    return value.flatMap((one, index) =>
      valueProblems(one, field).map(({ path, message }) => ({ path: [index, ...path], message })),
    );
  }
  if (!field.map) return valueProblems(value, field);
  if (!isObject(value)) return [{ path: [], message: 'is no mapping' }];
  return Object.entries(value).flatMap(([key, one]) =>
    valueProblems(one, field).map(({ path, message }) => ({ path: [key, ...path], message })),
  );
}

function valueProblems(value: unknown, { resolvedType, type }: protobuf.Field): SpecProblem[] {
  const problem = (message: string): SpecProblem[] => [{ path: [], message }];
  if (resolvedType instanceof protobuf.Type) return messageProblems(value, resolvedType);
  if (resolvedType instanceof protobuf.Enum) {
    const names = Object.keys(resolvedType.values);
    if (typeof value === 'string' && names.includes(value)) return [];
    return problem(
      `"${value}" is no ${resolvedType.name}${didYouMean(`${value}`, names)}; allowed: ${names.join(', ')}`,
    );
  }
  if (type === 'bytes') return problem('is a field of bytes, which only audio.in fills');
  // A variable becomes what it stands for.
  if (type === 'string') return typeof value === 'string' ? [] : problem('is no text');
  if (type === 'bool') return typeof value === 'boolean' ? [] : problem('is neither true nor false');
  return typeof value === 'number' || value === '{sampleRate}' ? [] : problem('is no number');
}

/** Pointers of rules lead to fields that the message has. */
function heardProblems({ open, receive }: MappingSpec, response: protobuf.Type): SpecProblem[] {
  const awaited = open.flatMap((step, index) => conditionProblems(step.await, response, ['open', index, 'await']));
  return [...awaited, ...receive.flatMap((rule, index) => ruleProblems(rule, ['receive', index], response))];
}

function ruleProblems(rule: Rule, at: readonly PropertyKey[], response: protobuf.Type): SpecProblem[] {
  const one = (key: string, pointer: Pointer | undefined): [string[], Pointer][] => (pointer ? [[[key], pointer]] : []);
  const named: [string[], Pointer][] = [
    ...(rule.has ?? []).flatMap((pointer) => one('has', pointer)),
    ...one('text', rule.text),
    ...(rule.coversTo ?? []).flatMap((pointer) => one('coversTo', pointer)),
    ...one('message', rule.message),
    ...one('code', rule.code),
    ...one('retryAfter', rule.retryAfter),
  ];
  if (rule.words) {
    const { at: list, text, end, final } = rule.words;
    named.push([['words', 'at'], list]);
    for (const [key, pointer] of Object.entries({ text, end, final }))
      if (pointer)
        named.push([
          ['words', key],
          [...list, '0', ...pointer],
        ]);
  }
  const wrong = named.flatMap(([path, pointer]): SpecProblem[] => {
    const led = follow(response, pointer);
    return 'message' in led ? [{ path: [...at, ...path], message: led.message }] : [];
  });
  return [...conditionProblems(rule.when, response, [...at, 'when']), ...wrong];
}

function conditionProblems(
  condition: Rule['when'],
  response: protobuf.Type,
  path: readonly PropertyKey[],
): SpecProblem[] {
  if (condition === undefined) return [];
  if (typeof condition === 'string') return [{ path, message: 'is a text; over gRPC a condition is on fields' }];
  return condition.flatMap(({ pointer, literals }): SpecProblem[] => {
    const led = follow(response, pointer);
    if ('message' in led) return [{ path, message: led.message }];
    if (!led.values) return [];
    const unknown = literals.find((one) => !led.values!.includes(`${one}`));
    if (unknown === undefined) return [];
    return [{ path, message: `${showPointer(pointer)} is never "${unknown}"; allowed: ${led.values.join(', ')}` }];
  });
}

/**
 * What a pointer leads to: the kind of value, an enum's values, or a sentence on where it fails.
 */
function follow(type: protobuf.Type, pointer: Pointer): { kind: string; values?: string[] } | { message: string } {
  let at: protobuf.Type | undefined = type;
  let kind = '';
  let values: string[] | undefined;
  for (let step = 0; step < pointer.length; step++) {
    const name = pointer[step]!;
    const nowhere = `${showPointer(pointer)} leads nowhere:`;
    if (!at) return { message: `${nowhere} ${showPointer(pointer.slice(0, step))} has no fields` };
    const field: protobuf.Field | undefined = at.fields[name];
    if (!field) return { message: `${nowhere} ${noField(at, name)}` };
    const { resolvedType } = field.resolve();
    at = resolvedType instanceof protobuf.Type && !isTime(resolvedType) ? resolvedType : undefined;
    values = resolvedType instanceof protobuf.Enum ? Object.keys(resolvedType.values) : undefined;
    kind = field.type;
    const isInto = (field.repeated || field.map) && step + 1 < pointer.length;
    if (!isInto) continue;
    step += 1;
    if (field.repeated && !/^(0|[1-9]\d*)$/.test(pointer[step]!))
      return { message: `${nowhere} ${name} is a list, which is entered by a number, as /${name}/0` };
  }
  return values ? { kind, values } : { kind };
}

/** One that is heard as its seconds. */
function isTime({ fields }: protobuf.Type): boolean {
  return Object.keys(fields).sort().join() === 'nanos,seconds';
}

function noField(type: protobuf.Type, name: string): string {
  const names = Object.keys(type.fields);
  return `${type.name} has no field ${name}${didYouMean(name, names)}; allowed: ${names.join(', ')}`;
}
