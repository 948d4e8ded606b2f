import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const pages = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');

it.each(pages)('%s leads to files that are there, and to headings that they have', (page) => {
  const broken = linksIn(textOf(page)).filter((link) => {
    const [path = '', heading] = link.split('#');
    const target = path === '' ? page : join(dirname(page), decodeURI(path));
    if (!existsSync(target)) return true;
    return heading !== undefined && target.endsWith('.md') && !placesIn(textOf(target)).includes(heading);
  });
  expect(broken).toEqual([]);
});

function textOf(page: string): string {
  // What stands in code is no link and no heading.
  return readFileSync(page, 'utf8').replaceAll(/^ *```.*?^ *```/gms, '');
}

/** Links to files and headings of this repository. */
function linksIn(text: string): string[] {
  const inline = [...text.replaceAll(/`[^`\n]*`/g, '').matchAll(/\]\(<?([^)>\s]+)>?[^)]*\)/g)];
  return inline.map(([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link));
}

/**
 * What a link may lead to: anchors, and headings by the names that GitHub gives them; of two that
 * are alike the second ends in -1.
 */
function placesIn(text: string): string[] {
  const seen = new Map<string, number>();
  const anchors = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!);
  const headings = [...text.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => {
    const plain = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const name = plain.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return times === 0 ? name : `${name}-${times}`;
  });
  return [...anchors, ...headings];
}
