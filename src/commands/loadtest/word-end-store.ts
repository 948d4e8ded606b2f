import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { jsonText } from '../../json-text.ts';
import type { WordEnd } from '../../scoring/word-ends.ts';

/** `key` stands for everything that the ends depend on; `id` is for people. */
type Entry = { key: string; id: string; words: readonly WordEnd[] };

/**
 * The word ends that were found for the clips of one manifest: `en.jsonl` has its in
 * `en.words.jsonl` beside it, a line a clip with `words` as a manifest may give them. The file may
 * be deleted at any time, or kept with the clips. Where nothing can be written beside the manifest
 * they are kept in the user's cache.
 */
export class WordEndStore {
  readonly #beside: string;
  readonly #cached: string | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #words = new Map<string, Entry['words']>();
  readonly #fresh: Entry[] = [];

  /**
   * Lines that are not as this version writes them are found again.
   *
   * @param cache A directory for what cannot be kept beside the manifest, and a name in it that no
   *   other manifest has; undefined where there is none.
   */
  constructor(manifest: string, cache: { directory: string; name: string } | undefined) {
    this.#beside = manifest.replace(/\.(jsonl|ndjson|json)$/i, '') + suffix;
    this.#cached = cache && join(cache.directory, cache.name + suffix);
    for (const path of [this.#cached, this.#beside]) {
      for (const entry of path === undefined ? [] : entriesOf(path)) this.#keep(entry);
    }
  }

  get(key: string): readonly WordEnd[] | undefined {
    return this.#words.get(key);
  }

  /** In place of what was kept under that id. */
  put(entry: Entry): void {
    if (this.#entries.get(entry.id)?.key === entry.key) return;
    this.#keep(entry);
    this.#fresh.push(entry);
  }

  /**
   * Writes what is new, whole or not at all, with what another load test has written meanwhile; why
   * it could not, or undefined.
   */
  save(): string | undefined {
    if (this.#fresh.length === 0) return undefined;
    const beside = this.#write(this.#beside);
    if (beside === undefined || this.#cached === undefined) return beside;
    const cached = this.#write(this.#cached);
    return cached === undefined ? undefined : `${beside}, and ${cached}`;
  }

  #keep(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    this.#words.set(entry.key, entry.words);
  }

  #write(path: string): string | undefined {
    const entries = new Map(entriesOf(path).map((entry) => [entry.id, entry]));
    for (const entry of this.#fresh) entries.set(entry.id, entry);
    const lines = [...entries.values()].map(
      ({ key, id, words }) =>
        `${jsonText({ id, words: words.map(({ text, endMs }) => ({ text, end_ms: endMs ?? null })), key }, 0)}\n`,
    );
    const unfinished = `${path}.${process.pid}`;
    try {
      if (path === this.#cached) mkdirSync(dirname(path), { recursive: true });
      writeFileSync(unfinished, lines.join(''));
      renameSync(unfinished, path);
      return undefined;
    } catch (error) {
      remove(unfinished);
      return `${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`;
    }
  }
}

/** What was never begun cannot be removed, which is as well. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}

const suffix = '.words.jsonl';

const entrySchema = z.object({
  id: z.string(),
  key: z.string(),
  words: z.array(z.object({ text: z.string(), end_ms: z.number().nullable() })),
});

function entriesOf(path: string): Entry[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.flatMap((line) => parsed(line) ?? []);
  } catch {
    return [];
  }
}

function parsed(line: string): Entry | undefined {
  try {
    const { id, key, words } = entrySchema.parse(JSON.parse(line));
    return { id, key, words: words.map(({ text, end_ms }) => ({ text, endMs: end_ms ?? undefined })) };
  } catch {
    return undefined;
  }
}
