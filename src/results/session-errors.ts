import { cutWords } from '../cut-words.ts';

/** One thing that went wrong in sessions, in words, and how often it did. */
export type SessionError = { text: string; count: number };

/**
 * What went wrong in the sessions of a test. A server may word each error anew: texts that differ
 * in their numbers alone count as one, which its first shows; of a kind the first few are kept, of
 * kinds the first hundred, and of a text its beginning, so that a test of any length keeps a
 * bounded list.
 */
export class SessionErrors {
  readonly #kinds = new Map<string, Kind>();
  #others = 0;

  /** The error of that text happened so often; `kindOf` says in fixed words what it is about. */
  add(text: string, count = 1, kindOf = text): void {
    // A list of another generator may have counted several as one already.
    const isVaried = text.endsWith(andMore);
    const shown = cutWords(isVaried ? text.slice(0, -andMore.length) : text, mostCharacters);
    const key = withoutNumbers(kindOf === text ? shown : cutWords(kindOf, mostCharacters));
    let kind = this.#kinds.get(key);
    if (!kind) {
      if (this.#kinds.size === mostKinds || text === others) {
        this.#others += count;
        return;
      }
      kind = new Map();
      this.#kinds.set(key, kind);
    }
    const same = withoutNumbers(shown);
    const [first] = kind.values();
    const known = kind.get(same) ?? (kind.size === mostTexts ? first : undefined);
    if (!known) kind.set(same, { text: shown, count, isVaried });
    else {
      known.count += count;
      known.isVaried ||= isVaried || known.text !== shown;
    }
  }

  /** Most frequent first. */
  list(): SessionError[] {
    const all = [...this.#kinds.values()].flatMap((kind) =>
      [...kind.values()].map(({ text, count, isVaried }) => ({ text: isVaried ? `${text}${andMore}` : text, count })),
    );
    if (this.#others > 0) all.push({ text: others, count: this.#others });
    return all.sort((a, b) => b.count - a.count);
  }
}

/** By its text without numbers: the first that came, and how many like it did. */
type Kind = Map<string, { text: string; count: number; isVaried: boolean }>;

/** The status of a refusal and the code of a close say what went wrong; other numbers do not. */
function withoutNumbers(text: string): string {
  return text.replace(/HTTP \d{3}\b|\(\d{4}\)|\d+/g, (number) => (/^\d/.test(number) ? '#' : number));
}

const mostKinds = 100;
const mostTexts = 5;
const mostCharacters = 400;
const andMore = ', and others like it';
const others = 'errors of other kinds';
