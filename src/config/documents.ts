import { type Document, isNode, LineCounter } from 'yaml';
import type { z } from 'zod';
import type { Problem } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { RenamedKey } from './renamed-keys.ts';
import { syntaxProblems, yamlDocuments } from './syntax.ts';
import { badConfig, checkDocument, offsetOf } from './yaml.ts';

/** What `kind` may say; one file may hold documents of several. */
const kinds = [
  'LoadScenario',
  'LatencyBudget',
  'ServiceLevel',
  'CanaryAnalysis',
  'CapacityScenario',
  'StreamProtocol',
  'RoutingPolicy',
  'DeployValues',
] as const;
export type Kind = (typeof kinds)[number];

export type ConfigDocument<T> = {
  name: string;
  value: T;
  /** `file:line:column` of what stands at a path of the document, or of its nearest parent. */
  at: (path: readonly PropertyKey[]) => string;
};

/**
 * Every document of `kind` in a YAML text, checked by its schema; documents of other kinds are left
 * alone. Throws `bad_config` with every problem of the file at once: syntax, unknown kinds, two
 * documents of one kind and name, none.
 */
export function parseDocuments<S extends z.ZodType>(
  file: string,
  source: string,
  kind: Kind,
  schema: S,
  renamed: readonly RenamedKey[] = [],
): ConfigDocument<z.output<S>>[] {
  const lines = new LineCounter();
  const documents = yamlDocuments(source, lines);
  const where = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const problems: Problem[] = [];
  const found: ConfigDocument<z.output<S>>[] = [];
  const names = new Map<string, string>();
  for (const document of documents) {
    const at = (path: readonly PropertyKey[]) => where(offsetOf(document, path, undefined));
    const syntax = syntaxProblems(document, source, where);
    problems.push(...syntax);
    if (syntax.length > 0) continue;
    const given = textAt(document, ['kind']);
    if (!isKind(given)) {
      problems.push({ where: at(['kind']), message: unknownKind(given) });
      continue;
    }
    const name = textAt(document, ['metadata', 'name']) ?? '';
    const first = names.get(`${given} ${name}`);
    if (first)
      problems.push({
        where: at(['metadata', 'name']),
        message: `metadata.name: a ${given} "${name}" already stands at ${first}`,
      });
    names.set(`${given} ${name}`, at(['metadata', 'name']));
    if (given !== kind) continue;
    const checked = checkDocument(document, where, schema, renamed);
    if ('problems' in checked) problems.push(...checked.problems);
    else found.push({ name, value: checked.value, at });
  }
  if (problems.length === 0 && found.length === 0)
    problems.push({ where: `${file}:1:1`, message: nothingOf(kind, names) });
  if (problems.length > 0) throw badConfig(file, problems);
  return found;
}

function unknownKind(given: string | undefined): string {
  if (given === undefined) return `kind: is missing; allowed: ${kinds.join(', ')}`;
  return `kind: "${given}" is not allowed${didYouMean(given, kinds)}; allowed: ${kinds.join(', ')}`;
}

function nothingOf(kind: Kind, names: ReadonlyMap<string, string>): string {
  const others = [...names.keys()].map((key) => key.trim());
  return others.length === 0
    ? `is empty; write a document of kind ${kind}`
    : `has no ${kind}; it has ${others.join(', ')}`;
}

function isKind(text: string | undefined): text is Kind {
  return kinds.some((kind) => kind === text);
}

function textAt(document: Document, path: readonly string[]): string | undefined {
  const value = isNode(document.contents) ? document.getIn(path) : undefined;
  return value === undefined || value === null ? undefined : String(value);
}
