import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isFile } from '../../config/file-kind.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import { didYouMean } from '../../suggest.ts';
import { printJson } from '../output.ts';
import { packageFolder, type ShippedFile, shippedFiles } from '../shipped.ts';
import { printReport } from '../terminal.ts';
import type { ExamplesFlags } from './flags.ts';

/** Lists what ships, or copies it. */
export function runExamples(names: readonly string[], flags: ExamplesFlags): ExitCode {
  if (flags.force && flags.copy === undefined) throw new SpeechfbError('bad_flag', '--force goes with --copy DIR');
  const chosen = choose(names);
  if (flags.copy === undefined) {
    if (flags.json) printJson(chosen);
    else printReport(chosen, listText);
    return exitCodes.pass;
  }
  if (flags.copy === '') throw new SpeechfbError('bad_flag', '--copy: is empty; name a directory');
  const paths = names.length === 0 ? allFolders.flatMap(filesUnder) : chosen.flatMap(withWhatItNames);
  const written = copy([...new Set(paths)], flags.copy, flags.force === true);
  if (flags.json) printJson({ written });
  else printReport({ written, target: flags.copy }, (shown) => writtenText(shown.written, shown.target));
  return exitCodes.pass;
}

/**
 * What a bare `--copy` brings: the files of the list, what they name, and the clients and manifests
 * beside them.
 */
const allFolders = ['scenarios', 'budgets', 'capacity', 'slo', 'fixtures/audio', 'schemas', 'examples', 'deploy'];

function choose(names: readonly string[]): ShippedFile[] {
  const all = shippedFiles();
  const known = [...new Set(all.map(({ name }) => name))];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const problems = unknown.map((name) => ({ message: `"${name}" is no example${didYouMean(name, known)}` }));
    const hint = `examples: ${known.join(', ')}`;
    if (problems.length === 1) throw new SpeechfbError('bad_usage', problems[0]!.message, { hint });
    throw new SpeechfbError('bad_usage', `${problems.length} names are no examples`, { problems, hint });
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

function listText(files: readonly ShippedFile[]): string {
  const rows = files.map(({ command, about }) => `  ${command.padEnd(widest(files))}  ${about}\n`);
  return `${rows.join('')}\nspeechfb examples --copy DIR copies them, with recordings, to begin with.\n`;
}

function widest(files: readonly ShippedFile[]): number {
  return Math.max(...files.map(({ command }) => command.length));
}

/**
 * A file and the files of the package that it refers to: recordings, curves, user counts, and its
 * schema for editors.
 */
function withWhatItNames({ path }: ShippedFile): string[] {
  const text = readFileSync(join(packageFolder, path), 'utf8');
  const named = [...text.matchAll(/[\w./-]+\/[\w.-]+\.\w+|[\w-]+\.(?:csv|json|yaml)/g)]
    .map(([reference]) => join(dirname(path), reference))
    .filter((file) => !file.startsWith('..') && file !== path && isFile(join(packageFolder, file)));
  return [path, ...named.flatMap((file) => (file.endsWith('manifest.jsonl') ? filesUnder(dirname(file)) : [file]))];
}

function filesUnder(folder: string): string[] {
  const entries = readdirSync(join(packageFolder, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(packageFolder.length))
    .sort();
}

/**
 * Writes the files under `target` as they lie in the package; nothing at all where one would be
 * written over.
 */
function copy(paths: readonly string[], target: string, force: boolean): string[] {
  const pending = paths.flatMap((path) => {
    const [to, bytes] = [join(target, path), readFileSync(join(packageFolder, path))];
    if (existsSync(to) && isFile(to) && readFileSync(to).equals(bytes)) return [];
    return [{ to, bytes }];
  });
  const taken = pending.filter(({ to }) => existsSync(to));
  if (taken.length > 0 && !force) {
    const problems = taken.map(({ to }) => ({ where: to, message: 'is there already, and differs' }));
    throw new SpeechfbError('would_overwrite', `nothing was written: ${taken.length} of the files are there already`, {
      problems:
        problems.length > 8 ? [...problems.slice(0, 8), { message: `and ${problems.length - 8} more` }] : problems,
      hint: '--force writes over them; --copy takes another directory too',
    });
  }
  for (const { to, bytes } of pending) {
    try {
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, bytes);
    } catch (cause) {
      const message = `not everything was copied: ${to} cannot be written: ${fileTrouble(cause)}`;
      throw new SpeechfbError('output_unwritable', message, { cause });
    }
  }
  return pending.map(({ to }) => to);
}

function writtenText(written: readonly string[], target: string): string {
  if (written.length === 0) return `everything is in ${target} already, as it ships; nothing was written\n`;
  return `${written.map((file) => `wrote ${file}\n`).join('')}${written.length} ${written.length === 1 ? 'file' : 'files'}\n`;
}
