/**
 * Foreign text (of servers, files, traces, flags) as a line of a terminal, a table, a log or a page
 * may show it: what would move the cursor, set a title, turn the direction of reading, begin a line
 * or stand there unseen is written out (`\x1b`, `\n`, `\u202e`), a flood of combining marks becomes
 * `…`, and what is wider than `columns` loses its middle. Texts of every language stay as they are,
 * with the joiners of Persian, of Indic scripts and of emoji.
 *
 * Line breaks and colours of ours are put on afterwards.
 */
export function plainText(text: string, columns = valueColumns): string {
  return withoutMiddle(written(withoutMiddle(text, 4 * columns)), columns);
}

/** Columns that a value has in a line, and a sentence that may quote one. */
const valueColumns = 400;
export const sentenceColumns = 1000;

/**
 * A value of plain objects and lists in which every text, keys included, is as `plainText` has it;
 * itself where nothing changes. A report is rendered from this, so that its renderer may put
 * anything anywhere.
 */
export function plainValue<Value>(value: Value): Value {
  return (
    typeof value === 'string'
      ? plainText(value)
      : Array.isArray(value)
        ? plainList(value)
        : isPlainObject(value)
          ? plainObject(value)
          : value instanceof Map
            ? new Map([...value].map(([key, inner]) => [plainValue(key), plainValue(inner)]))
            : value
  ) as Value;
}

/**
 * The stack of a bug of ours: its frames keep their lines, the message before them is one line.
 */
export function plainStack(stack: string): string {
  return stack
    .split(/\n(?= {4}at )/)
    .map((line) => plainText(line, sentenceColumns))
    .join('\n');
}

/**
 * A text without its middle, where it is wider than `columns` of a terminal: `…` stands there. Wide
 * characters take two columns and combining marks none.
 */
export function withoutMiddle(text: string, columns: number): string {
  // No character takes more than two columns.
  if (text.length * 2 <= columns) return text;
  const head = cutAt(text, columns);
  if (head === text.length) return text;
  const left = cutAt(text, Math.ceil((columns - 1) * 0.7));
  const tail = [...text.slice(-columns)].reverse().join('');
  const right = cutAt(tail, columns - 1 - Math.ceil((columns - 1) * 0.7));
  const from = text.length - right;
  // Half a surrogate pair is no character.
  return `${text.slice(0, left)}…${text.slice(/^[\udc00-\udfff]/.test(text[from] ?? '') ? from + 1 : from)}`;
}

/**
 * Characters that are not seen or are obeyed: controls, separators of lines, half a surrogate pair,
 * marks of direction, joiners, fillers, tags, selectors and noncharacters.
 */
export const hiddenCharacters =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufff9-\ufffb]/gu;

function written(text: string): string {
  const shown = text.replace(hiddenCharacters, (character, at: number) =>
    isAtHome(character, text.slice(Math.max(0, at - 8), at), text.slice(at + character.length, at + 10))
      ? character
      : escapeOf(character),
  );
  // A mark without a base would sit on the character that we put before it.
  return shown.replace(floods, '$1…').replace(/^(?=\p{M})/u, '◌');
}

/** More marks than any script stacks: Tibetan and Hebrew with cantillation need six. */
const floods = /(\p{M}{8})\p{M}+/gu;

/**
 * Whether a hidden character does what it is for: a joiner in a word of a script that has them or
 * in an emoji of several, a selector behind what it chooses a form of.
 */
function isAtHome(character: string, before: string, after: string): boolean {
  if (character === '\u200d' && emojiBefore.test(before)) return /^\p{Extended_Pictographic}/u.test(after);
  if (character === '\u200c' || character === '\u200d') return joiningBefore.test(before);
  if (character === '\ufe0e' || character === '\ufe0f') return /[\p{Emoji}]$/u.test(before);
  if (/^[\u180b-\u180f]$/u.test(character))
    return /\p{Script=Mongolian}$/u.test(before) && !/[\u180b-\u180f]$/u.test(before);
  return /^[\u{e0100}-\u{e01ef}]$/u.test(character) && /\p{Script=Han}$/u.test(before);
}

const emojiBefore = /\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?$/u;

/** A letter or mark of a script whose spelling uses joiners (Unicode 16, chapters 9 to 16). */
const joiningBefore = new RegExp(
  `[${[
    ...['Arabic', 'Syriac', 'Mandaic', 'Nko', 'Mongolian', 'Adlam', 'Hanifi_Rohingya'],
    ...['Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam'],
    ...['Sinhala', 'Myanmar', 'Khmer', 'Thaana', 'Tibetan', 'Balinese', 'Javanese'],
  ]
    .map((script) => `\\p{Script=${script}}`)
    .join('')}]\\p{M}*$`,
  'u',
);

/** `\n`, `\x1b`, `\u202e`, `\u{e0041}`: as JavaScript would have it in quotes. */
function escapeOf(character: string): string {
  const name = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  if (name !== undefined) return name;
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}

/** How many UTF-16 units of `text` fit into `columns`. */
function cutAt(text: string, columns: number): number {
  let at = 0;
  let width = 0;
  for (const character of text) {
    width += /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
    if (width > columns) return at;
    at += character.length;
  }
  return at;
}

/** East Asian Width W and F, as far as whole blocks have it, and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;

function plainList(list: readonly unknown[]): readonly unknown[] {
  if (list.every((one) => typeof one === 'number')) return list;
  const shown = list.map(plainValue);
  return shown.every((one, i) => one === list[i]) ? list : shown;
}

function plainObject(object: Record<string, unknown>): Record<string, unknown> {
  let changed = false;
  const shown = new Map<string, unknown>();
  for (const [key, inner] of Object.entries(object)) {
    const cut = plainText(key);
    // Two long keys may differ in the middle alone.
    const name = shown.has(cut) ? written(key) : cut;
    const value = plainValue(inner);
    changed ||= name !== key || value !== inner;
    shown.set(name, value);
  }
  return changed ? Object.fromEntries(shown) : object;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
