import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeCodes, wireErrors } from '../../src/protocol/codes.ts';

const root = resolve(import.meta.dirname, '../..');
const headings = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  .split('\n')
  .flatMap((line) => /^### (\S+)$/.exec(line)?.[1] ?? []);
const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
  .join('\n');
const thrown = [...source.matchAll(/new SpeechfbError\(\s*'([^']+)'/g)].map((match) => match[1]!);

describe('docs/errors.md', () => {
  it.each(Object.keys(wireErrors))(
    'explains the wire error %s, names its close code and says whether to try again',
    (code) => {
      expect(headings).toContain(code);
      const { close, retryable } = wireErrors[code as keyof typeof wireErrors];
      expect(sectionOf(code)).toMatch(new RegExp(`^Close ${close}${retryable ? ', retryable' : ''}[.;] `, 'm'));
    },
  );

  it.each(Object.entries(closeCodes))('explains the close code %s', (_, code) => {
    expect(headings).toContain(String(code));
  });

  it.each([...new Set(thrown)].sort())('explains the error %s', (code) => {
    expect(headings).toContain(code);
  });

  it.each(headings)('explains %s, which exists', (heading) => {
    const exists = Object.values<number>(closeCodes).includes(Number(heading)) || source.includes(`'${heading}'`);
    expect(exists || heading in wireErrors).toBe(true);
  });

  it('has each heading once', () => {
    expect([...new Set(headings)]).toEqual(headings);
  });

  it('finds the errors of the source', () => {
    expect(thrown.length).toBeGreaterThan(10);
  });
});

function sectionOf(code: string): string {
  const text = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  return text.split(/^### /m).find((section) => section.startsWith(`${code}\n`)) ?? '';
}
