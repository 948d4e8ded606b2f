import { type Document, isMap, isPair, isSeq, LineCounter, visit } from 'yaml';
import { parseDocuments } from '../../config/documents.ts';
import { readText } from '../../config/read-chunks.ts';
import { yamlDocuments } from '../../config/syntax.ts';
import { badConfig, checkDocument, offsetOf } from '../../config/yaml.ts';
import { type Problem, SpeechfbError } from '../../errors.ts';
import { fromOpenSlo, openSloFile } from '../../slo/service-level/openslo.ts';
import {
  type ServiceLevel,
  type ServiceLevelFile,
  serviceLevelFile,
  serviceLevelOf,
} from '../../slo/service-level/service-level.ts';

/** The service level of a file, ours or OpenSLO v1; `name` chooses one of several. */
export function readServiceLevel(file: string, name: string | undefined): ServiceLevel {
  const source = readText(file, 'service level');
  const levels = /(?:^|[\s{,-])["']?apiVersion["']?\s*:\s*["']?openslo\//m.test(source)
    ? readOpenSlo(file, source).map(serviceLevelOf)
    : parseDocuments(file, source, 'ServiceLevel', serviceLevelFile).map(({ value }) => serviceLevelOf(value));
  const chosen = name === undefined ? levels : levels.filter((level) => level.name === name);
  if (chosen.length === 1) return chosen[0]!;
  const names = levels.map((level) => level.name).join(', ');
  const message = name === undefined ? `${file} has ${levels.length} service levels` : `${file} has no "${name}"`;
  throw new SpeechfbError('bad_flag', `${message}: ${names}`, { hint: 'choose one with --name' });
}

/**
 * The SLO documents of an OpenSLO v1 file, YAML or JSON, documents or a list of them; an
 * `indicatorRef` is followed to an SLI of the same file, a `metricSourceRef` to its DataSource.
 * Services and alert policies are left alone: our own alert rows apply.
 */
export function readOpenSlo(file: string, source: string): ServiceLevelFile[] {
  const lines = new LineCounter();
  const documents = yamlDocuments(source, lines).flatMap(itemsOf);
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const problems: Problem[] = documents.flatMap(({ errors }) =>
    errors.map(({ pos, message }) => ({ where: at(pos[0]), message: message.split('\n', 1)[0]! })),
  );
  if (problems.length > 0) throw badConfig(file, problems);
  const indicators = new Map(
    documents.filter((one) => one.get('kind') === 'SLI').map((one) => [one.getIn(['metadata', 'name']), one]),
  );
  const sources = new Map(
    documents
      .filter((one) => one.get('kind') === 'DataSource')
      .map((one) => [one.getIn(['metadata', 'name']), one.getIn(['spec', 'type'])]),
  );
  for (const document of documents) nameSources(document, sources);
  const found = documents
    .filter((one) => one.get('kind') === 'SLO')
    .flatMap((document) => {
      const indicator = indicators.get(document.getIn(['spec', 'indicatorRef']));
      if (indicator) {
        // The SLI's own nodes: what is wrong in them is told where they stand.
        document.setIn(['spec', 'indicator'], document.createNode({}));
        document.setIn(['spec', 'indicator', 'spec'], indicator.get('spec', true));
        document.deleteIn(['spec', 'indicatorRef']);
      }
      const checked = checkDocument(document, at, openSloFile);
      if ('value' in checked) {
        const place = (path: readonly PropertyKey[]) => at(offsetOf(document, placeInOpenSlo(path), undefined));
        return [imported(checked.value, place, problems)];
      }
      problems.push(...checked.problems);
      return [];
    });
  if (problems.length === 0 && found.length === 0) {
    problems.push({ where: `${file}:1:1`, message: 'has no document of kind SLO, the one that can be imported' });
  }
  if (problems.length > 0) throw badConfig(file, problems);
  return found.filter((one) => one !== undefined);
}

/** A list of documents as documents, each with its places in the file. */
function itemsOf(document: Document): Document[] {
  const { contents } = document;
  if (!isSeq(contents)) return [document];
  return contents.items.filter(isMap).map((item) => {
    const one = document.clone();
    one.contents = item;
    return one;
  });
}

/**
 * Writes the type of a DataSource where a metric source refers to it and leaves its type out, as
 * OpenSLO v1 allows.
 */
function nameSources(document: Document, types: ReadonlyMap<unknown, unknown>): void {
  visit(document, {
    Pair(_, pair) {
      if (!isPair(pair) || String(pair.key) !== 'metricSource' || !isMap(pair.value)) return;
      const type = types.get(pair.value.get('metricSourceRef'));
      if (!pair.value.has('type') && type !== undefined) pair.value.set('type', type);
    },
  });
}

function imported(
  document: Parameters<typeof fromOpenSlo>[0],
  place: (path: readonly PropertyKey[]) => string,
  problems: Problem[],
): ServiceLevelFile | undefined {
  const result = serviceLevelFile.safeParse(fromOpenSlo(document));
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues) {
    problems.push({ where: place(path), message: `as a ServiceLevel, ${path.join('.')}: ${message}` });
  }
  return undefined;
}

/** Where an OpenSLO document has what a path of the ServiceLevel made of it names. */
function placeInOpenSlo(path: readonly PropertyKey[]): PropertyKey[] {
  const [spec, objectives, index, field, kind, part] = path;
  if (spec !== 'spec' || objectives !== 'objectives') return [...path];
  if (field !== 'indicator') return [...path.slice(0, 3), ...(field === 'target' ? [] : path.slice(3))];
  const source = ['metricSource', 'spec', 'query'];
  const metric = kind === 'events' ? ['ratioMetric', part ?? 'total', ...source] : ['thresholdMetric', ...source];
  return index === undefined ? [...path] : ['spec', 'indicator', 'spec', ...metric];
}
