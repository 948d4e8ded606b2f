import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFile } from '../config/file-kind.ts';
import { SpeechfbError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';

/**
 * What commands read that ships with speechfb, each kind in the folder where it lies and by what
 * its text has.
 */
const kinds = {
  'load scenario': { folder: 'scenarios', has: /^kind: LoadScenario$/m, command: 'loadtest' },
  'latency budget': { folder: 'budgets', has: /^kind: LatencyBudget$/m, command: 'budget' },
  'capacity scenario': { folder: 'capacity', has: /^kind: CapacityScenario$/m, command: 'capacity' },
  'service level': { folder: 'slo', has: /^kind: ServiceLevel$/m, command: 'slo check' },
  'canary analysis': { folder: 'slo', has: /^kind: CanaryAnalysis$/m, command: 'canary plan' },
  'routing policy': { folder: 'routing', has: /^kind: RoutingPolicy$/m, command: 'route' },
  'networks file': { folder: 'scenarios', has: /^ {2}networks:$/m, command: 'netsim' },
} as const;
export type ShippedKind = keyof typeof kinds;

export type ShippedFile = {
  /** The bare name that its command takes: `quickstart`. */
  name: string;
  kind: ShippedKind;
  /** Relative to the package: `scenarios/quickstart.yaml`. */
  path: string;
  /** How to run it. */
  command: string;
  /** The first sentence of its opening comment. */
  about: string;
};

/** The package's own folder. */
export const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

/** The files of some kinds that ship, by kind and name. */
export function shippedFiles(of: readonly ShippedKind[] = Object.keys(kinds) as ShippedKind[]): ShippedFile[] {
  return of.flatMap((kind) => {
    const { folder, has, command } = kinds[kind];
    const names = readdirSync(join(packageFolder, folder)).filter((file) => file.endsWith('.yaml'));
    return names.sort().flatMap((file) => {
      const path = `${folder}/${file}`;
      const text = readFileSync(join(packageFolder, path), 'utf8');
      if (!has.test(text)) return [];
      const name = basename(file, '.yaml');
      return [{ name, kind, path, command: `speechfb ${command} ${name}`, about: firstSentence(text) }];
    });
  });
}

/**
 * The file that an argument names: what exists wins, and so does whatever looks like a path; a bare
 * name is that of a file that ships. Error: `unreadable_file` for a bare name that none has, with
 * those that there are.
 */
export function shippedOr(kind: ShippedKind, given: string): string {
  if (given === '-' || isFile(given)) return given;
  const shipped = shippedFiles([kind]);
  const found = shipped.find(({ name }) => name === given);
  if (found) return join(packageFolder, found.path);
  const names = shipped.map(({ name }) => name);
  const hint = `those that ship, by name: ${names.join(', ')}; speechfb examples shows them all`;
  if (!/[/\\.]/.test(given) && !existsSync(given)) {
    const message = `there is no ${kind} "${given}"${didYouMean(given, names)}: no file here, and none of that name ships`;
    throw new SpeechfbError('unreadable_file', message, { hint });
  }
  const meant = names.find((name) => name === basename(given).replace(/\.ya?ml$/, ''));
  if (meant === undefined || existsSync(given)) return given;
  throw new SpeechfbError('unreadable_file', `there is no file "${given}"`, {
    hint: `speechfb ships a ${kind} of that name: give just "${meant}"`,
  });
}

/** A file as sentences name it: one that ships by its path within the package. */
export function labelOf(file: string): string {
  return file.startsWith(packageFolder) ? file.slice(packageFolder.length) : file;
}

function firstSentence(text: string): string {
  const comment: string[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('#') || /^#\s+(npx |speechfb |yaml-language-server)/.test(line)) break;
    comment.push(line.replace(/^#\s*/, ''));
  }
  return (
    comment
      .join(' ')
      .match(/^.*?[.?:!](?=\s|$)/)?.[0]
      .replace(/:$/, '.') ?? comment.join(' ')
  );
}
