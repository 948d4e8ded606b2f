import { defineConfig } from 'vitest/config';

/**
 * The tests that `npm run mutation` has picked for its room: a mutant runs in each of them that reaches it, so those
 * that take seconds stay out.
 */
export default defineConfig({
  test: {
    include: process.env.MUTATION_TESTS?.split(',') ?? [],
    exclude: ['**/*.slow.test.ts'],
    testTimeout: 120_000,
  },
});
