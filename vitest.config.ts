import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    coverage: { include: ['src/**/*.{ts,tsx}'], reporter: ['text-summary', 'lcovonly'] },
  },
});
