/**
 * `npm test`: everything that must hold, one check after the other, ending with `N passed, N failed`.
 *
 * A tool's verdict counts as one; tests count one by one. A skipped test counts as failed: nothing here is
 * left out silently.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import * as v from 'valibot';
import { findBrowser } from '../harness/find-browser.ts';
import { e2eResults, projectDir, resultsDir, unitResults } from '../harness/project.ts';

interface Tally {
  passed: number;
  failed: number;
}

interface Check {
  name: string;
  /** An npm script, and what it is given beside. */
  script: string;
  args: string[];
  /** How many of its tests passed, for a check that has tests. */
  count: (() => Promise<Tally>) | null;
}

const checks: Check[] = [
  { name: 'Formatting', script: 'format:check', args: [], count: null },
  { name: 'Lint', script: 'lint', args: [], count: null },
  { name: 'Types', script: 'typecheck', args: [], count: null },
  {
    name: 'Unit tests',
    script: 'test:unit',
    args: ['--reporter=default', '--reporter=json', `--outputFile.json=${unitResults}`],
    count: countUnitTests,
  },
  { name: 'End-to-end tests', script: 'test:e2e', args: [], count: countEndToEndTests },
];

// Each reader takes only its few figures from a report that holds much more.
const UnitReport = v.object({ numTotalTests: v.number(), numPassedTests: v.number() });
const EndToEndReport = v.object({
  stats: v.object({
    expected: v.number(),
    unexpected: v.number(),
    flaky: v.number(),
    skipped: v.number(),
  }),
});

await main();

async function main(): Promise<void> {
  await rm(resultsDir, { recursive: true, force: true });
  await mkdir(resultsDir, { recursive: true });

  const browser = await findBrowser(console.log);
  console.log(`Browser: ${browser.version}, ${browser.source} (${browser.executablePath})`);
  process.env['EDGESHARD_CHROMIUM'] = browser.executablePath;

  const results: { name: string; tally: Tally; seconds: number }[] = [];
  for (const check of checks) {
    console.log(`\n── ${check.name} ${'─'.repeat(60 - check.name.length)}\n`);
    const startedMs = performance.now();
    const tally = await perform(check);
    results.push({ name: check.name, tally, seconds: (performance.now() - startedMs) / 1000 });
  }

  console.log(`\n── Summary ${'─'.repeat(53)}\n`);
  for (const { name, tally, seconds } of results)
    console.log(`${name.padEnd(18)} ${describe(tally)}  (${seconds.toFixed(0)} s)`);
  const total: Tally = {
    passed: results.reduce((sum, { tally }) => sum + tally.passed, 0),
    failed: results.reduce((sum, { tally }) => sum + tally.failed, 0),
  };
  console.log(`\n${describe(total)}`);
  process.exit(total.failed === 0 ? 0 : 1);
}

function describe({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

/** Runs a check with its output shown as it comes. */
async function perform({ script, args, count }: Check): Promise<Tally> {
  const ok = await runScript(script, args);
  if (!count) return { passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
  const tally = await count();
  // A run that fails outside its tests (a file that does not load, no test at all) is a failure too.
  return ok || tally.failed > 0 ? tally : { ...tally, failed: 1 };
}

function runScript(script: string, args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
      cwd: projectDir,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    child.on('error', (error) => {
      console.error(`npm run ${script} does not start: ${error.message}`);
      resolve(false);
    });
    child.on('close', (status) => resolve(status === 0));
  });
}

async function countUnitTests(): Promise<Tally> {
  const report = await readReport(unitResults, UnitReport);
  if (!report) return { passed: 0, failed: 1 };
  const { numPassedTests, numTotalTests } = report;
  return { passed: numPassedTests, failed: numTotalTests - numPassedTests };
}

async function countEndToEndTests(): Promise<Tally> {
  const report = await readReport(e2eResults, EndToEndReport);
  if (!report) return { passed: 0, failed: 1 };
  const { expected, unexpected, flaky, skipped } = report.stats;
  return { passed: expected, failed: unexpected + flaky + skipped };
}

/** Null if the run ended before it could write one. */
async function readReport<T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<T | null> {
  try {
    return v.parse(schema, JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}
