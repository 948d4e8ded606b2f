import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { jsonText } from '../../json-text.ts';
import type { ClipWord } from '../../load/scenario/clip-words.ts';

/** `key` stands for everything that the ends depend on; `id` is for people. */
type Entry = { key: string; id: string; words: readonly ClipWord[] };

/**
 * The word ends that were found for the clips of one manifest: `en.jsonl` has its in
 * `en.words.jsonl` beside it, a line a clip with `words` as a manifest may give them. The file may
 * be deleted at any time, or kept with the clips.
 */
export class WordEndStore {
  readonly #path: string;
  readonly #entries = new Map<string, Entry>();
  #changed = false;

  /** Lines that are not as this version writes them are found again. */
  constructor(manifest: string) {
    this.#path = manifest.replace(/\.(jsonl|ndjson|json)$/i, '') + suffix;
    for (const line of linesOf(this.#path)) {
      const entry = parsed(line);
      if (entry) this.#entries.set(entry.id, entry);
    }
  }

  get(key: string): readonly ClipWord[] | undefined {
    for (const entry of this.#entries.values()) if (entry.key === key) return entry.words;
    return undefined;
  }

  /** In place of what was kept under that id. */
  put(entry: Entry): void {
    if (this.#entries.get(entry.id)?.key === entry.key) return;
    this.#entries.set(entry.id, entry);
    this.#changed = true;
  }

  /** Writes what is new, whole or not at all; why it could not, or undefined. */
  save(): string | undefined {
    if (!this.#changed) return undefined;
    const lines = [...this.#entries.values()].map(
      ({ key, id, words }) =>
        `${jsonText({ id, words: words.map(({ text, endMs }) => ({ text, end_ms: endMs ?? null })), key }, 0)}\n`,
    );
    const unfinished = `${this.#path}.${process.pid}`;
    try {
      writeFileSync(unfinished, lines.join(''));
      renameSync(unfinished, this.#path);
      return undefined;
    } catch (error) {
      return `${this.#path} cannot be written: ${(error as NodeJS.ErrnoException).code}`;
    }
  }
}

const suffix = '.words.jsonl';

const entrySchema = z.object({
  id: z.string(),
  key: z.string(),
  words: z.array(z.object({ text: z.string(), end_ms: z.number().nullable() })),
});

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
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
