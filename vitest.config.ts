import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'e2e/**/*.test.ts', 'docs/tools/**/*.test.ts'],
    environment: 'node',
    testTimeout: 30_000,
  },
});
