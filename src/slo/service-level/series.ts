/**
 * A metric name and its label matchers, without braces: what a rate can be taken of over any
 * window.
 */
export type SeriesSelector = { name: string; matchers: string | undefined };

/**
 * The one counter that a text names: alone, in parentheses, with a range behind it, or summed over,
 * as documents of other tools write it (`sum(requests_total{code="200"})`). Undefined for anything
 * else.
 */
export function selectorOf(text: string): SeriesSelector | undefined {
  const inner = wrappings
    .map((wrapping) => wrapping.exec(text)?.[1])
    .find((one) => one !== undefined && isBalanced(one));
  if (inner !== undefined) return selectorOf(inner);
  const match = bare.exec(text);
  if (!match || (match.groups?.matchers !== undefined && matchersFault(match.groups.matchers))) return undefined;
  return { name: match.groups!.name!, matchers: match.groups!.matchers?.trim() || undefined };
}

/**
 * What keeps a text from being a series or PromQL whose rates can be taken over every window;
 * undefined when nothing does.
 */
export function seriesFault(text: string): string | undefined {
  if (selectorOf(text)) return undefined;
  const plain = withoutStrings(text);
  if (plain === undefined) return 'has a quoted text that does not end';
  if (!isBalanced(plain)) return 'has a bracket that is not closed, or closed twice';
  const ranges = [...plain.matchAll(/\[([^\]]*)\]/g)].map(([, range]) => range!.trim());
  if (ranges.length === 0) {
    const advice = 'write the counter alone, such as requests_total{code="500"}, or take its rate over [$window]';
    return `has no range, so it is no rate over a window; ${advice}`;
  }
  const odd = ranges.find((range) => !/^(?:\$window|(?:\d+(?:ms|[smhdwy]))+)$/.test(range));
  if (odd !== undefined) return `has the range [${odd}]; write [$window], which becomes each window of the rules`;
  const fixed = [...new Set(ranges.filter((range) => range !== '$window'))];
  if (fixed.length > 1)
    return `has the ranges [${fixed.join('] and [')}]; write [$window] for those that follow the rules' windows`;
  return undefined;
}

/** What is wrong with label matchers such as `job="api",code!~"5.."`; undefined when nothing is. */
export function matchersFault(text: string): string | undefined {
  return new RegExp(`^\\s*(?:${matcher}\\s*(?:,\\s*${matcher}\\s*)*,?\\s*)?$`).test(text)
    ? undefined
    : 'is not label matchers such as job="api",code!~"5.."';
}

/** The matchers of a selector, one each; a comma or brace within a quoted value parts nothing. */
export function matchersOf(selector: string): string[] {
  return [...selector.matchAll(new RegExp(matcher, 'g'))].map(([one]) => one.trim());
}

/** The text with each `[...]` as one window. Strings are left alone. */
export function overWindow(text: string, window: string): string {
  return text.replace(new RegExp(`${quotedText}|\\[[^\\]]*\\]`, 'g'), (part) =>
    part.startsWith('[') ? `[${window}]` : part,
  );
}

/** A quoted text of PromQL, as a regular expression. */
export const quotedText = '"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|`[^`]*`';
const matcher = `[a-zA-Z_][a-zA-Z0-9_]*\\s*(?:=~|!~|!=|=)\\s*(?:${quotedText})`;
const bare = new RegExp(
  `^\\s*(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)\\s*(?:\\{(?<matchers>(?:${quotedText}|[^"'\`{}])*)\\})?\\s*(?:\\[[^\\]:]*\\])?\\s*$`,
);
const grouping = '(?:by|without)\\s*\\([^)]*\\)';
const wrappings = [
  `^\\s*sum\\s*\\((.*)\\)\\s*${grouping}\\s*$`,
  `^\\s*(?:sum\\s*(?:${grouping})?\\s*)?\\((.*)\\)\\s*$`,
].map((pattern) => new RegExp(pattern, 's'));

/** Quoted texts as empty ones; undefined when one does not end. */
function withoutStrings(text: string): string | undefined {
  const plain = text.replace(new RegExp(quotedText, 'g'), '');
  return /["'`]/.test(plain) ? undefined : plain;
}

function isBalanced(text: string): boolean {
  const plain = withoutStrings(text);
  if (plain === undefined) return false;
  const open: string[] = [];
  for (const [sign] of plain.matchAll(/[()[\]{}]/g)) {
    if ('([{'.includes(sign)) open.push({ '(': ')', '[': ']', '{': '}' }[sign as '(' | '[' | '{']);
    else if (open.pop() !== sign) return false;
  }
  return open.length === 0;
}
