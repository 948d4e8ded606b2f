import { describe, expect, it } from 'vitest';
import { LatenessEstimate } from '../../../src/server/session/late-frames.ts';

describe('the estimate of lateness', () => {
  it('starts at three times the least wait', () => {
    expect(new LatenessEstimate(40, 500).waitMs()).toBe(120);
    expect(new LatenessEstimate(40, 100).waitMs()).toBe(100);
  });

  it('is mean and four deviations, as the retransmission timer of RFC 6298', () => {
    const lateness = new LatenessEstimate(40, 1000);
    lateness.observe(100);
    expect(lateness.waitMs()).toBe(100 + 4 * 50);
    lateness.observe(60);
    expect(lateness.waitMs()).toBe(95 + 4 * 47.5);
  });

  it('stays between its limits', () => {
    const lateness = new LatenessEstimate(40, 1000);
    lateness.observe(1);
    expect(lateness.waitMs()).toBe(40);
    lateness.observe(9000);
    expect(lateness.waitMs()).toBe(1000);
  });
});
