import { cutWords } from '../cut-words.ts';

/** One thing that went wrong in sessions, in words, and how often it did. */
export type SessionError = { text: string; count: number };

/**
 * What went wrong in the sessions of a test. A server may word each error anew: texts that differ
 * in their numbers alone are one kind, of a kind the first few are kept as they were, of kinds the
 * first hundred, and of a text its beginning, so that a test of any length keeps a bounded list.
 */
export class SessionErrors {
  readonly #kinds = new Map<string, Kind>();
  #others = 0;

  /** The error of that text happened so often; `kindOf` says in fixed words what it is about. */
  add(text: string, count = 1, kindOf = text): void {
    const shown = cutWords(text, mostCharacters);
    const key = cutWords(kindOf, mostCharacters).replace(/\d+/g, '#');
    let kind = this.#kinds.get(key);
    if (!kind) {
      if (this.#kinds.size === mostKinds || text === others) {
        this.#others += count;
        return;
      }
      kind = { texts: new Map(), more: 0 };
      this.#kinds.set(key, kind);
    }
    const before = kind.texts.get(shown);
    if (before !== undefined || kind.texts.size < mostTexts) kind.texts.set(shown, (before ?? 0) + count);
    else kind.more += count;
  }

  /** Most frequent first. */
  list(): SessionError[] {
    const all = [...this.#kinds.values()].flatMap(({ texts, more }) => {
      const list = [...texts].map(([text, count]) => ({ text, count }));
      return more === 0 ? list : [...list, { text: `${list[0]!.text}${andMore}`, count: more }];
    });
    if (this.#others > 0) all.push({ text: others, count: this.#others });
    return all.sort((a, b) => b.count - a.count);
  }
}

type Kind = { texts: Map<string, number>; more: number };

const mostKinds = 100;
const mostTexts = 5;
const mostCharacters = 400;
const andMore = ', and others like it';
const others = 'errors of other kinds';
