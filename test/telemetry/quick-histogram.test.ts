import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { QuickHistogram } from '../../src/telemetry/quick-histogram.ts';

const name = 'seconds';
const help = 'How long.';
const bounds = [0.001, 0.01, 0.5];
const value = fc.oneof(fc.constantFrom(0, ...bounds, 2), fc.double({ min: -1, max: 2, noNaN: true }));
const label = fc.constantFrom('a', 'b', 'say "c"');

describe('a quick histogram', () => {
  it('exposes what the one of the library does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(label, value)), async (observations) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const quick = new QuickHistogram({ name, help, label: 'what', bounds, registry: ours });
        const known = new Histogram({ name, help, labelNames: ['what'], buckets: bounds, registers: [theirs] });
        for (const [what, seconds] of observations) {
          quick.observe(what, seconds);
          known.observe({ what }, seconds);
        }
        expect(await ours.metrics()).toBe(await theirs.metrics());
      }),
    );
  });

  it('counts no value that is no number', async () => {
    const registry = new Registry();
    const quick = new QuickHistogram({ name, help, label: 'what', bounds, registry });
    for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, 1]) quick.observe('a', seconds);
    expect(await registry.metrics()).toContain('seconds_count{what="a"} 1');
  });
});
