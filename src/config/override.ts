import { type Document, isMap, isScalar, parseAllDocuments, visit } from 'yaml';
import { SpeechfbError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';

/**
 * The YAML text with one field of the documents of a kind set to another value. `key` is a dotted
 * path; what everybody would write first (`spec`, then one section more) may be left out:
 * `spike.factor` is `spec.demand.spike.factor`. A field that has a default and is not written may
 * be set too, where its section is. Throws `bad_flag` with the fields that exist.
 */
export function overrideField(source: string, kind: string, key: string, value: string | number): string {
  const parsed = parseAllDocuments(source);
  const documents = Array.isArray(parsed) ? parsed : [];
  for (const document of documents.filter((each) => each.get('kind') === kind)) {
    document.setIn(pathOf(document, key), value);
  }
  // A document that began with its own marker prints it again.
  const texts = documents.map((document) => document.toString({ lineWidth: 0 }).replace(/^---\s/, ''));
  return texts.join('---\n');
}

function pathOf(document: Document, key: string): string[] {
  const wanted = key.split('.');
  const places = [[], ['spec'], ...sectionsOf(document).map((name) => ['spec', name])].map((start) => [
    ...start,
    ...wanted,
  ]);
  const written = places.find((path) => document.hasIn(path));
  // A field that is left to its default has no place of its own, but its section does.
  const beside = places.find(
    (path) => path.length > 2 && wanted.length > 1 && isMap(document.getIn(path.slice(0, -1))),
  );
  const path = written ?? beside;
  if (path) return path;
  const known = fieldsOf(document);
  const shorter = known.map((field) => field.slice(field.indexOf('.') + 1));
  throw new SpeechfbError(
    'bad_flag',
    `"${key}" is not a field of this file${didYouMean(key, [...known, ...shorter])}`,
    {
      hint: `fields that it sets: ${known.join(', ')}`,
    },
  );
}

function sectionsOf(document: Document): string[] {
  const spec = document.get('spec');
  return isMap(spec) ? spec.items.map(({ key }) => String(key)) : [];
}

/** Dotted paths of all single values below `spec`. */
function fieldsOf(document: Document): string[] {
  const paths: string[] = [];
  visit(document, {
    Pair(_, pair, ancestors) {
      if (!isScalar(pair.value)) return;
      const keys = ancestors.flatMap((each) => ('key' in each && isScalar(each.key) ? [String(each.key.value)] : []));
      const path = [...keys, String(isScalar(pair.key) ? pair.key.value : pair.key)];
      if (path[0] === 'spec') paths.push(path.slice(1).join('.'));
    },
  });
  return paths;
}
