import { describe, expect, it } from 'vitest';
import { Purse } from '../../src/load/purse.ts';

describe('what a search may cost', () => {
  it('is paid load by load, up to the last cent', () => {
    const purse = new Purse();
    expect(purse.hasPaid).toBe(false);
    for (const dollars of [1, 3, 1]) expect(purse.pays({ audioMinutes: dollars, dollars, most: 5 })).toBe(true);
    expect(purse.hasPaid).toBe(true);
    expect(purse.problem).toBeUndefined();
    expect(purse.pays({ audioMinutes: 1, dollars: 1, most: 5 })).toBe(false);
    expect(purse.problem).toBe('the next load would bring the bill to $6.00, beyond the $5.00 of spec.cost.most');
  });

  it('is anything where nobody says how much, or takes money', () => {
    expect(new Purse().pays({ audioMinutes: 1e6, dollars: 1e6, most: undefined })).toBe(true);
    expect(new Purse().pays({ audioMinutes: 1e6, dollars: undefined, most: 1 })).toBe(true);
  });

  it('is at its end with a load that its cost has ended, and with no other', () => {
    const purse = new Purse();
    const aborted = { objective: 'cost.most', atMs: 500, reason: 'too much' };
    expect(purse.isEmptiedBy({ aborted: undefined })).toBe(false);
    expect(purse.isEmptiedBy({ aborted: { ...aborted, objective: 'wer < 10%' } })).toBe(false);
    expect(purse.isEmptiedBy({ aborted })).toBe(true);
    expect(purse.problem).toBe('cost.most: too much');
  });
});
