import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Rooms whose tests start no process, open no port and look at no clock: they share the cores. */
const together = [
  ...['audio', 'budget', 'capacity', 'clock', 'config', 'metrics', 'protocol'],
  ...['report', 'results', 'routing', 'sim', 'slo', 'stats'],
];
const pure = together.map((room) => `test/${room}/**/*.test.{ts,tsx}`);
const all = 'test/**/*.test.{ts,tsx}';

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'together', include: pure, maxWorkers: '100%', sequence: { groupOrder: 0 } } },
      // Whatever starts servers has them to itself, as far as a machine is one's own.
      {
        extends: true,
        test: { name: 'alone', include: [all], exclude: pure, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
    // What ends a test that hangs, and no claim of speed: machines are slow, and busy with other things.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000, interval: 20 } },
    // Draws the same examples each time.
    alias: [{ find: /^fast-check$/, replacement: fileURLToPath(new URL('test/kit/fast-check.ts', import.meta.url)) }],
    coverage: { include: ['src/**/*.{ts,tsx}'], reporter: ['text-summary', 'lcovonly'] },
  },
});
