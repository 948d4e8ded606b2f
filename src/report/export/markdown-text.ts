import { plainText, sentenceColumns } from '../../plain-text.ts';

/**
 * A piece of Markdown. Only the functions of this file make one, and they escape whatever is text,
 * so that a page made of pieces has no markup but our own.
 */
export class Markdown {
  readonly #text: string;

  /** @param text - of which every part that is foreign is escaped. */
  private constructor(text: string) {
    this.#text = text;
  }

  /**
   * The tag of templates: what stands in the template is markup, what is put in is text or a piece.
   */
  static of(markup: TemplateStringsArray, ...values: readonly (string | number | Markdown)[]): Markdown {
    return new Markdown(markup.map((part, i) => (i === 0 ? part : `${asMarkdown(values[i - 1]!)}${part}`)).join(''));
  }

  /** Text in the letters of code, as an expression or a hash is shown. */
  static code(text: string): Markdown {
    return new Markdown(codeOf(plainText(text, sentenceColumns).trim()));
  }

  static table(
    head: readonly string[],
    rows: readonly (readonly (string | Markdown)[])[],
    isLeft: (name: string, column: number) => boolean,
  ): Markdown {
    const line = (cells: readonly (string | Markdown)[]) => `| ${cells.map(asMarkdown).join(' | ')} |`;
    const sides = `| ${head.map((name, i) => (isLeft(name, i) ? '---' : '--:')).join(' | ')} |`;
    return new Markdown([line(head), sides, ...rows.map(line)].join('\n'));
  }

  static list(items: readonly (string | Markdown)[]): Markdown {
    return new Markdown(items.map((item) => `- ${asMarkdown(item)}`).join('\n'));
  }

  /** The pieces as one, `between` them; empty ones take no place. */
  static join(pieces: readonly Markdown[], between: '\n\n' | '\n' | '. '): Markdown {
    return new Markdown(
      pieces
        .map(String)
        .filter((text) => text !== '')
        .join(between),
    );
  }

  toString(): string {
    return this.#text;
  }
}

function asMarkdown(value: string | number | Markdown): string {
  return value instanceof Markdown ? value.toString() : escaped(String(value));
}

/**
 * A text without meaning for Markdown (CommonMark, and what GitHub and GitLab add): punctuation is
 * escaped; a word that they would make a mention, a reference or a link of is put into the letters
 * of code, where they make nothing of it.
 */
function escaped(text: string): string {
  const words = plainText(text, sentenceColumns).trim().split(/( +)/);
  const escapedWords = words.map((word, i) => (linked.test(word) ? codeOf(word) : escapedWord(word, i === 0)));
  // A tag might go on in what follows.
  return escapedWords.join('').replace(/<$/, '&lt;');
}

/** Mentions, references, commits, addresses with a scheme or a domain, and names of emoji. */
const linked =
  /@|[#!]\d|GH-\d|:\/\/|\bwww\.|[\p{L}\p{N}-]\.\p{L}{2}|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}\b|:[\w+-]+:|:[a-z][\w+-]*$/iu;

function escapedWord(word: string, isFirst: boolean): string {
  const inside = word
    .replace(/&(?=[#a-z])/gi, '&amp;')
    .replace(/<(?=[a-z/!?])/gi, '&lt;')
    .replace(/[\\`*~|#$]|\[(?!-?\d)|(?<!\d)\]|\](?=[[(:])|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\$&');
  // What begins a list, a quotation or a rule, at the beginning of a line.
  return isFirst ? inside.replace(/^[-+=>](?!\d)|(?<=^\d+)[.)]$/, '\\$&') : inside;
}

/**
 * Code, with what would end it, end the cell of a table or look like a tag to a careless reader set
 * outside.
 */
function codeOf(text: string): string {
  return text
    .split(/([`|]|<(?=[a-z/!?]))/i)
    .map((part, i) => (i % 2 === 1 ? (part === '<' ? '&lt;' : `\\${part}`) : part.trim() === '' ? part : `\`${part}\``))
    .join('');
}
