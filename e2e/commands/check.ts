/**
 * `npm test`: everything that must hold, ending with `N passed, N failed`. `npm run test:quick`: the same in a few
 * minutes, for while one works: what has not changed is not formatted or linted again, the long unit tests are left
 * out, and of the end-to-end tests only those tagged `@quick` run.
 *
 * A tool's verdict counts as one; tests count one by one. A skipped test counts as failed: nothing here is
 * left out silently.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
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

interface Result {
  name: string;
  tally: Tally;
  seconds: number;
}

const { quick } = parseArgs({ options: { quick: { type: 'boolean', default: false } } }).values;

/** Checks of one group run at the same time, and groups one after the other: real rooms need every core. */
const groups: Check[][] = [
  [
    {
      name: 'Formatting',
      script: 'format:check',
      args: quick ? cachedIn('prettier') : [],
      count: null,
    },
    { name: 'Lint', script: 'lint', args: quick ? cachedIn('eslint') : [], count: null },
    { name: 'Types', script: 'typecheck', args: [], count: null },
  ],
  [
    {
      name: 'Unit tests',
      script: 'test:unit',
      args: [
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${unitResults}`,
        ...(quick ? ['--project=!long'] : []),
      ],
      count: countUnitTests,
    },
  ],
  ...(quick
    ? [[endToEnd('One real room', ['--grep=@quick'])]]
    : [
        [endToEnd('End-to-end tests', ['--project=wasm', '--project=webgpu', '--workers=2'])],
        [endToEnd('Timed end-to-end tests', ['--project=timed'])],
      ]),
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

  const results: Result[] = [];
  for (const group of groups) results.push(...(await Promise.all(group.map(perform))));

  console.log(`\n── Summary ${'─'.repeat(53)}\n`);
  for (const { name, tally, seconds } of results)
    console.log(`${name.padEnd(22)} ${describe(tally)}  (${seconds.toFixed(0)} s)`);
  const total: Tally = {
    passed: results.reduce((sum, { tally }) => sum + tally.passed, 0),
    failed: results.reduce((sum, { tally }) => sum + tally.failed, 0),
  };
  console.log(`\n${describe(total)}`);
  process.exit(total.failed === 0 ? 0 : 1);
}

function endToEnd(name: string, args: string[]): Check {
  return { name, script: 'test:e2e', args, count: countEndToEndTests };
}

function describe({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

/** Runs a check. The output of one that has tests is shown as it comes, that of another under its heading at its end. */
async function perform(check: Check): Promise<Result> {
  const { name, count } = check;
  const startedMs = performance.now();
  if (count) printHeading(name);
  const { ok, output } = await runScript(check, count ? 'inherit' : 'pipe');
  if (!count) {
    printHeading(name);
    process.stdout.write(output);
  }
  return { name, tally: await tallyOf(ok, count), seconds: (performance.now() - startedMs) / 1000 };
}

async function tallyOf(ok: boolean, count: Check['count']): Promise<Tally> {
  if (!count) return { passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
  const tally = await count();
  // A run that fails outside its tests (a file that does not load, no test at all) is a failure too.
  return ok || tally.failed > 0 ? tally : { ...tally, failed: 1 };
}

function printHeading(name: string): void {
  console.log(`\n── ${name} ${'─'.repeat(60 - name.length)}\n`);
}

function runScript(
  { script, args }: Check,
  shown: 'inherit' | 'pipe',
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
      cwd: projectDir,
      stdio: ['inherit', shown, shown],
      shell: process.platform === 'win32',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => {
      console.error(`npm run ${script} does not start: ${error.message}`);
      resolve({ ok: false, output });
    });
    child.on('close', (status) => resolve({ ok: status === 0, output }));
  });
}

/** What has not changed since the last quick run is not looked at again. */
function cachedIn(tool: string): string[] {
  return ['--cache', '--cache-strategy=content', `--cache-location=.cache/${tool}.json`];
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
