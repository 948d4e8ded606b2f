import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';
import { readText } from '../config/read-chunks.ts';
import { badConfig } from '../config/yaml.ts';
import type { Problem } from '../errors.ts';

/**
 * The types of a .proto file and of those that it imports, which are looked for beside it and in
 * the folders above it that their names begin at; `google/protobuf/` is known. Throws
 * `unreadable_file`, or `bad_config` with file and line.
 */
export function readProto(file: string): protobuf.Root {
  const reader = new ProtoReader();
  reader.read(file);
  reader.checkTypes();
  reader.root.resolveAll();
  return reader.root;
}

class ProtoReader {
  readonly root = new protobuf.Root();
  /** Texts by file. */
  readonly #texts = new Map<string, string>();
  readonly #known = new Set<string>();

  read(file: string): void {
    const text = readText(file, 'proto');
    this.#texts.set(file, text);
    const { imports = [], weakImports = [] } = this.#parse(file, text);
    for (const name of [...imports, ...weakImports]) this.#import(file, text, name);
  }

  /** Each type that a field or a method names is there. */
  checkTypes(): void {
    const problems = membersOf(this.root).flatMap((member) =>
      missingTypes(member).map((type) => this.#missingType(member, type)),
    );
    if (problems.length > 0) throw badConfig(this.#texts.keys().next().value ?? '', problems);
  }

  #missingType({ name, filename }: protobuf.ReflectionObject, type: string): Problem {
    const [first = ''] = this.#texts.keys();
    const file = filename ?? first;
    const place = new RegExp(
      `\\b${escaped(name)}\\b[^;]*\\b${escaped(type)}\\b|\\b${escaped(type)}\\b[^=;]*\\b${escaped(name)}\\s*=`,
    );
    return {
      where: `${file}:${lineOf(this.#texts.get(file) ?? '', place)}`,
      message: `${name}: there is no type ${type}`,
    };
  }

  #parse(file: string, text: string): protobuf.IParserResult {
    try {
      sayFile(file);
      return protobuf.parse(text, this.root, { keepCase: true });
    } catch (cause) {
      const { line, message } = problemOf(cause instanceof Error ? cause.message : '', text);
      throw badConfig(file, [{ where: `${file}:${line}`, message }]);
    } finally {
      sayFile(null);
    }
  }

  #import(from: string, text: string, name: string): void {
    const common = protobuf.common.get(name);
    if (common?.nested) {
      if (!this.#known.has(name)) this.root.addJSON(common.nested);
      this.#known.add(name);
      return;
    }
    const file = placesOf(from, name).find((place) => existsSync(place));
    if (file === undefined) {
      const line = lineOf(text, new RegExp(`import\\b[^;]*["']${escaped(name)}["']`));
      throw badConfig(from, [{ where: `${from}:${line}`, message: `"${name}" is not there, beside it or above` }]);
    }
    if (!this.#texts.has(file)) this.read(file);
  }
}

/** What the parser writes into what it makes, which its types do not know of. */
function sayFile(filename: string | null): void {
  Object.assign(protobuf.parse, { filename });
}

/** Beside the file, and from each folder above it from which `name` may have been written. */
function placesOf(from: string, name: string): string[] {
  const places: string[] = [];
  let folder = dirname(from);
  for (const _ of name.split('/')) {
    places.push(join(folder, name));
    folder = dirname(folder);
  }
  return places;
}

/** Types that a field or a method names and that are nowhere. */
function missingTypes(member: protobuf.Field | protobuf.Method): string[] {
  const { parent } = member;
  const named = member instanceof protobuf.Field ? [member.type] : [member.requestType, member.responseType];
  const isKnown = (type: string) =>
    type in protobuf.types.basic || parent?.lookup(type, [protobuf.Type, protobuf.Enum]) != null;
  return named.filter((type) => !isKnown(type));
}

function membersOf(namespace: protobuf.NamespaceBase): (protobuf.Field | protobuf.Method)[] {
  const fields = namespace instanceof protobuf.Type ? namespace.fieldsArray : [];
  const methods = namespace instanceof protobuf.Service ? namespace.methodsArray : [];
  const nested = namespace.nestedArray.filter((one) => one instanceof protobuf.Namespace);
  return [...fields, ...methods, ...nested.flatMap(membersOf)];
}

/** What the parser has against a text, in a sentence, and where; it does not name each line. */
function problemOf(said: string, text: string): { line: number; message: string } {
  const [, token, due, line] = /^illegal .*?'(.*?)'(?:, '(.)' expected)? \(.*?line (\d+)\)$/s.exec(said) ?? [];
  const open = /^illegal (comment|string) .*line (\d+)\)$/.exec(said);
  if (open) return { line: Number(open[2]), message: `a ${open[1]} is not closed` };
  if (token === 'null' || /reading 'endsWith'/.test(said))
    return { line: text.trimEnd().split('\n').length, message: 'ends too early: something is not closed' };
  if (token !== undefined) {
    const instead = due === undefined ? '' : `: ${due} is due`;
    return { line: Number(line), message: `${JSON.stringify(token)} is not expected here${instead}` };
  }
  const [, what, value = '', owner = ''] = /^duplicate (name|id) '?(.*?)'? in \w+ ?(.*)$/.exec(said) ?? [];
  if (what === undefined) return { line: 1, message: 'is no .proto file that can be read' };
  const pattern = what === 'id' ? `=\\s*${escaped(value)}\\b` : `\\b${escaped(value)}\\s*[={(]`;
  const sentence = what === 'id' ? `the number ${value} is used twice` : `${value} is there twice`;
  return { line: secondLineOf(text, owner, pattern), message: sentence };
}

/** The line of the second match behind where the owner begins. */
function secondLineOf(text: string, owner: string, pattern: string): number {
  const name = escaped(owner.split('.').at(-1) ?? '');
  const begin = name === '' ? 0 : Math.max(0, text.search(new RegExp(`\\b(message|enum|oneof|service)\\s+${name}\\b`)));
  const [, second] = text.slice(begin).matchAll(new RegExp(pattern, 'g'));
  return text.slice(0, begin + (second?.index ?? 0)).split('\n').length;
}

function lineOf(text: string, pattern: RegExp): number {
  return text.slice(0, pattern.exec(text)?.index ?? 0).split('\n').length;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
