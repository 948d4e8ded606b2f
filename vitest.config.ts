import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    // Draws the same examples each time.
    alias: [{ find: /^fast-check$/, replacement: fileURLToPath(new URL('test/kit/fast-check.ts', import.meta.url)) }],
    coverage: { include: ['src/**/*.{ts,tsx}'], reporter: ['text-summary', 'lcovonly'] },
  },
});
