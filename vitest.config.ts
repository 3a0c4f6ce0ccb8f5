import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** These take as long as fifty others: `npm run test:quick` leaves them out. */
const long = ['e2e/fuzz/fuzz.test.ts', 'e2e/fuzz/outside-input.test.ts'];

export default defineConfig({
  test: {
    environment: 'node',
    testTimeout: 30_000,
    // Vitest keeps one core for itself, which on a machine with two halves its speed. One more than there are cores:
    // some tests do nothing but wait, for servers that stall or sockets that do not answer.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'short',
          include: ['src/**/*.test.ts', 'e2e/**/*.test.ts', 'docs/tools/**/*.test.ts'],
          exclude: long,
        },
      },
      { extends: true, test: { name: 'long', include: long } },
    ],
  },
});
