import { defineConfig, type Project } from 'playwright/test';
import { chromiumFlags } from './harness/chromium-flags.ts';
import { findBrowser } from './harness/find-browser.ts';
import { e2eResults, resultsDir } from './harness/project.ts';

// Found once; the worker processes, which read this file too, inherit the answer.
process.env['EDGESHARD_CHROMIUM'] ??= (await findBrowser(console.log)).executablePath;
const executablePath = process.env['EDGESHARD_CHROMIUM'];

export default defineConfig({
  testDir: './specs',
  globalSetup: './harness/global-setup.ts',
  reporter: [['line'], ['json', { outputFile: e2eResults }]],
  forbidOnly: true,
  retries: 0,
  // Each device of a room computes; two cores are enough for one room at a time. `npm test` has the projects whose
  // tests do not depend on time run side by side, with `--workers=2`.
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
    project('wasm', '{engine,models,screens}/**/*.spec.ts', { webgpu: false }),
    project('webgpu', '**/*.webgpu.spec.ts', { webgpu: true }),
    // Deadlines, faults, and plans that follow measured speeds: what else runs would change them.
    project('timed', '{rooms,transport}/**/*.spec.ts', { webgpu: false }),
  ],
});

/** Tests of one project run one after the other. */
function project(name: string, testMatch: string, flags: { webgpu: boolean }): Project {
  return {
    name,
    testMatch,
    testIgnore: flags.webgpu ? [] : '**/*.webgpu.spec.ts',
    // Each of its own: a run empties those of its projects.
    outputDir: `${resultsDir}/e2e-${name}`,
    workers: 1,
    use: { launchOptions: { executablePath, args: chromiumFlags(flags) } },
  };
}
