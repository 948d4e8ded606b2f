import { SpeechfbError } from '../../errors.ts';
import { nameOf, shorten, unreadableText } from './refusal.ts';

/**
 * A text without what is not read aloud, and where each of its UTF-16 units stood in the original.
 */
export type CleanText = { text: string; places: readonly number[] };

/**
 * Leaves of a text what is read aloud: tags and emphasis go, entities become their characters,
 * characters that nobody sees are taken out, and letters, digits, apostrophes and spaces of many
 * forms (accented, fullwidth, ligatures) become the plain ones.
 *
 * @throws SpeechfbError `invalid_reference` for tags and characters that it does not know, with
 *   their place.
 */
export function cleanText(original: string): CleanText {
  const whole = original.normalize('NFC');
  const edited = new Edited(whole);
  edited.replace(tag, ({ name }, at) => {
    if (name === undefined || inlineTags.has(name.toLowerCase())) return '';
    if (silentTags.has(name.toLowerCase())) return ' ';
    throw unreadableText(whole, `the tag <${shorten(name)}>`, at, 'what it does to the words is not known');
  });
  edited.replace(entity, ({ decimal, hex, name }, at) => {
    if (name !== undefined) {
      const known = entities[name];
      if (known === undefined)
        throw unreadableText(whole, `the entity &${name};`, at, 'what it stands for is not known');
      return known;
    }
    const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
  });
  // Twice: **bold** within _italics_.
  for (let depth = 0; depth < 2; depth++) edited.unwrap(emphasis);
  edited.unwrap(link);
  edited.replace(lineStart, () => '');
  edited.fold();
  refuseOtherScripts(edited, whole);
  return edited;
}

const tag = /<!--[\s\S]*?-->|<[/]?(?<name>[A-Za-z][\w:-]*)(?:\s[^<>]*)?[/]?>/g;
/** Tags that may stand within a word, and those that stand between words. */
const inlineTags = new Set('b i u em strong small mark span font a wbr emphasis prosody voice lang'.split(' '));
const silentTags = new Set('speak p s br div break sentence paragraph h1 h2 h3 h4 ul ol li html body'.split(' '));
const entity = /&(?:#(?<decimal>\d{1,7})|#x(?<hex>[\da-f]{1,6})|(?<name>[A-Za-z]{2,8}));/gi;
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '',
  zwj: '',
  zwnj: '',
  lsquo: "'",
  rsquo: "'",
  ldquo: '"',
  rdquo: '"',
  laquo: '"',
  raquo: '"',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  minus: '−',
  times: '×',
  divide: '÷',
  deg: '°',
  pound: '£',
  euro: '€',
  yen: '¥',
  cent: '¢',
  sect: '§',
  frac12: '½',
  frac14: '¼',
  frac34: '¾',
  sup2: '²',
  sup3: '³',
  copy: '©',
  reg: '®',
  trade: '™',
};
const emphasis =
  /(?<![\p{L}\p{N}*_~])(?<mark>\*{1,3}|_{1,3}|~~)(?=\S)(?<inside>[^*_~]*[^*_~\s])\k<mark>(?![\p{L}\p{N}*_~])/gu;
const link = /!?\[(?<inside>[^\][]+)\]\([^()\s]+\)/g;
/** Marks of headings, lists and quotations. */
const lineStart = /^[ \t]*(?:#{1,6} +|[-*•‣–—] +|> ?)+/gm;

/** A text under change that remembers where its characters came from. */
class Edited implements CleanText {
  text: string;
  places: number[];

  constructor(text: string) {
    this.text = text;
    this.places = Array.from({ length: text.length }, (_, index) => index);
  }

  /** Puts what `change` returns in place of each match; undefined leaves it. */
  replace(
    pattern: RegExp,
    change: (groups: Record<string, string | undefined>, place: number) => string | undefined,
  ): void {
    this.#rebuild(
      [...this.text.matchAll(pattern)].flatMap(({ 0: found, index, groups = {} }) => {
        const change_ = change(groups, this.places[index]!);
        return change_ === undefined ? [] : [{ from: index, to: index + found.length, text: change_ }];
      }),
    );
  }

  /** Leaves of each match its group `inside`. */
  unwrap(pattern: RegExp): void {
    this.#rebuild(
      [...this.text.matchAll(pattern)].flatMap(({ 0: found, index, groups }) => {
        const inside = groups!.inside!;
        const from = index + found.indexOf(inside);
        const to = index + found.length;
        return [
          { from: index, to: from, text: '' },
          { from: from + inside.length, to, text: '' },
        ];
      }),
    );
  }

  /** Each character in its plain form. */
  fold(): void {
    if (onlyAscii.test(this.text)) {
      // Each is one unit before and after.
      this.text = this.text.replace(/\s/g, ' ').replaceAll('`', "'");
      return;
    }
    const characters = [...this.text];
    let at = 0;
    const edits = characters.map((character, index) => {
      const from = at;
      at += character.length;
      return { from, to: at, text: plain(character, characters[index - 1] ?? ' ', characters[index + 1] ?? ' ') };
    });
    this.#rebuild(edits);
  }

  #rebuild(edits: readonly { from: number; to: number; text: string }[]): void {
    if (edits.length === 0) return;
    let text = '';
    const places: number[] = [];
    let at = 0;
    for (const edit of edits) {
      text += this.text.slice(at, edit.from) + edit.text;
      for (let i = at; i < edit.from; i++) places.push(this.places[i]!);
      for (let i = 0; i < edit.text.length; i++) places.push(this.places[edit.from] ?? 0);
      at = edit.to;
    }
    for (let i = at; i < this.text.length; i++) places.push(this.places[i]!);
    this.text = text + this.text.slice(at);
    this.places = places;
  }
}

/** As nearly all texts are; the forms of other characters are many. */
const onlyAscii = /^\p{ASCII}*$/u;

function plain(character: string, before: string, after: string): string {
  if (/[\p{Default_Ignorable_Code_Point}\p{Cf}]/u.test(character)) return '';
  if (/\p{Z}|\s/u.test(character)) return ' ';
  if (/[\u2018\u2019\u201b\u02bc\u02bb\u02b9\u00b4\u02ca\uff07`]/.test(character)) return "'";
  // A prime is an apostrophe between letters, and feet or minutes behind a digit.
  if (character === '\u2032' && /\p{L}/u.test(before + after) && !/\p{N}/u.test(before)) return "'";
  if (/[\u201c-\u201f\u00ab\u00bb\u201a\u2039\u203a]/.test(character)) return '"';
  if (/[\u2010\u2011\u2012]/.test(character)) return '-';
  if (/[\u2044\u2215]/.test(character)) return '/';
  if (character === '\u2116') return ' number ';
  if (/[\u2103\u2109\u2026\u2025\uff01-\uff5e]/.test(character)) return character.normalize('NFKC');
  // Small raised letters are the ending of a number.
  if (/\p{Lm}/u.test(character)) return /[\p{Nd}\p{Lm}]/u.test(before) ? character.normalize('NFKC') : character;
  if (/[ªº]/.test(character)) return character;
  // Letters with accents are English loans more often than not (café): keep the letter, drop the
  // mark.
  if (/\p{L}/u.test(character)) return character.normalize('NFKD').replace(/\p{M}+/gu, '');
  if (/\p{Mn}/u.test(character)) return '';
  if (/\p{Nd}/u.test(character)) return character.normalize('NFKC');
  return character;
}

function refuseOtherScripts({ text, places }: CleanText, original: string): void {
  if (onlyAscii.test(text)) return;
  const pattern =
    /[^\p{Script=Latin}\p{P}\p{S}\p{N}\p{Z}\p{C}\p{M}]|(?![A-Za-z])[\p{Script=Latin}ªº]|(?![0-9])\p{Nd}/gu;
  const found = [...text.matchAll(pattern)];
  const odd = [...new Set(found.map(([character]) => character))];
  if (odd.length === 0) return;
  const more = odd.length > 10 ? ` and ${odd.length - 10} more` : '';
  const place = places[found[0]!.index]! + 1;
  throw new SpeechfbError(
    'invalid_reference',
    `the text "${shorten(original)}" has characters outside English: ${odd.slice(0, 10).join(' ')}${more}; the first, ${nameOf(odd[0]!)}, at character ${place}`,
    { hint: 'write it in the letters a-z, or give each word with its phones' },
  );
}
