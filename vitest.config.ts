import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    coverage: { include: ['src/**'], reporter: ['text-summary', 'lcovonly'] },
  },
});
