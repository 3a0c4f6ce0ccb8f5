/**
 * Finds a Chromium to test with: the one named in EDGESHARD_CHROMIUM, one installed on this machine, the
 * one Playwright downloads, or Debian's package. Whatever it takes is said, never silent.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright';

export interface FoundBrowser {
  executablePath: string;
  /** As it names itself, e.g. `Chromium 150.0.7103.59`. */
  version: string;
  source: 'named in EDGESHARD_CHROMIUM' | 'installed' | 'from Playwright' | 'from Debian';
}

const installedNames = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

const downloadTimeoutMs = 5 * 60 * 1000;
const versionTimeoutMs = 30_000;

/**
 * @param say told, in a sentence, what is being installed
 * @throws a sentence if there is no browser and none can be installed
 */
export async function findBrowser(say: (sentence: string) => void): Promise<FoundBrowser> {
  const named = process.env['EDGESHARD_CHROMIUM'];
  if (named !== undefined && named !== '') {
    const found = await asBrowser(named, 'named in EDGESHARD_CHROMIUM');
    if (!found) throw new Error(`EDGESHARD_CHROMIUM names ${named}, which does not start.`);
    return found;
  }
  return (
    (await findInstalled()) ??
    (await findPlaywrights()) ??
    (await installPlaywrights(say)) ??
    (await installDebians(say)) ??
    fail()
  );
}

async function findInstalled(): Promise<FoundBrowser | null> {
  for (const name of installedNames) {
    const found = await asBrowser(name, 'installed');
    if (found) return found;
  }
  return null;
}

async function findPlaywrights(): Promise<FoundBrowser | null> {
  return asBrowser(chromium.executablePath(), 'from Playwright');
}

async function installPlaywrights(say: (sentence: string) => void): Promise<FoundBrowser | null> {
  say('No Chromium or Chrome is installed: downloading the one of Playwright.');
  const cli = join(
    dirname(createRequire(import.meta.url).resolve('playwright/package.json')),
    'cli.js',
  );
  await run(process.execPath, [cli, 'install', '--no-shell', 'chromium']);
  const found = await findPlaywrights();
  if (found || !isRoot() || !existsSync(chromium.executablePath())) return found;
  // Downloaded but not starting: a bare system lacks libraries that it needs.
  await run(process.execPath, [cli, 'install-deps', 'chromium']);
  return findPlaywrights();
}

async function installDebians(say: (sentence: string) => void): Promise<FoundBrowser | null> {
  if (process.platform !== 'linux' || !isRoot()) return null;
  say('That did not work: installing the chromium package of this system.');
  await run('apt-get', ['update']);
  await run('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium']);
  return asBrowser('chromium', 'from Debian');
}

function fail(): never {
  throw new Error(
    'There is no Chromium or Chrome here and none could be installed: install one, or name its ' +
      'program in EDGESHARD_CHROMIUM.',
  );
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Null unless the program starts, with all its libraries, and says its version. */
async function asBrowser(
  program: string,
  source: FoundBrowser['source'],
): Promise<FoundBrowser | null> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version', '--no-sandbox'], {
      timeout: versionTimeoutMs,
    });
    const executablePath = program.includes('/') ? program : await which(program);
    return { executablePath, version: stdout.trim(), source };
  } catch {
    return null;
  }
}

async function which(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)('which', [program]);
  return stdout.trim();
}

/** Runs an installer with its output shown; whether it worked is seen by what it leaves. */
function run(program: string, args: string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: 'inherit',
      timeout: downloadTimeoutMs,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
}
