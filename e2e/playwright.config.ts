import { defineConfig } from 'playwright/test';
import { chromiumFlags } from './harness/chromium-flags.ts';
import { findBrowser } from './harness/find-browser.ts';
import { e2eResults, resultsDir } from './harness/project.ts';

// Found once; the worker processes, which read this file too, inherit the answer.
process.env['EDGESHARD_CHROMIUM'] ??= (await findBrowser(console.log)).executablePath;
const executablePath = process.env['EDGESHARD_CHROMIUM'];

export default defineConfig({
  testDir: './specs',
  outputDir: `${resultsDir}/e2e`,
  globalSetup: './harness/global-setup.ts',
  reporter: [['line'], ['json', { outputFile: e2eResults }]],
  forbidOnly: true,
  retries: 0,
  // Each device of a room computes; two cores are enough for one room at a time.
  workers: 1,
  fullyParallel: false,
  // A room of four devices measures itself, loads and answers within a minute on two slow cores; a test
  // that needs longer says so itself.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: {
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    trace: 'off',
    screenshot: 'only-on-failure',
  },
  projects: [
    {
      name: 'wasm',
      testMatch: '**/*.spec.ts',
      testIgnore: '**/*.webgpu.spec.ts',
      use: { launchOptions: { executablePath, args: chromiumFlags({ webgpu: false }) } },
    },
    {
      name: 'webgpu',
      testMatch: '**/*.webgpu.spec.ts',
      use: { launchOptions: { executablePath, args: chromiumFlags({ webgpu: true }) } },
    },
  ],
});
