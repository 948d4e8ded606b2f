import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faultTable } from '../../../src/load/fault/index.ts';
import { faultKinds } from '../../../src/results/fault-record.ts';

describe('the table of faults', () => {
  it('has each kind that a recording may name, once', () => {
    expect(faultTable.map(({ name }) => name).toSorted()).toEqual(faultKinds.toSorted());
  });

  it.each(faultTable)('spells $name in YAML as it is elsewhere, but for the hyphens', ({ name, key }) => {
    expect(key).toBe(name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()));
  });

  it.each(faultTable)('has a row of the documentation for $key', ({ key }) => {
    expect(readFileSync('docs/loadtest/faults.md', 'utf8')).toContain(`\n| \`${key}\` |`);
  });
});
