// What was asserted and what was seen, one row each, said as it happens and again at the end.

const rows = [];

export function hold(what, isSo, seen = '') {
  rows.push({ what, isSo, seen: String(seen) });
  console.error(rowText(rows.at(-1)));
}

/** Waits until `look` gives something, `seconds` at most; undefined: it never did. */
export async function until(look, seconds) {
  const endMs = performance.now() + 1000 * seconds;
  while (performance.now() < endMs) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(500);
  }
  return undefined;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const fails = () => rows.length === 0 || rows.some(({ isSo }) => !isSo);

export function printTable() {
  console.log(`\n${rows.map(rowText).join('\n')}`);
  const failed = rows.filter(({ isSo }) => !isSo).length;
  console.log(failed === 0 ? `\nall ${rows.length} hold` : `\n${failed} of ${rows.length} do not hold`);
}

function rowText({ what, isSo, seen }) {
  return `${isSo ? 'pass' : 'FAIL'}  ${what}${seen === '' ? '' : `: ${seen}`}`;
}
