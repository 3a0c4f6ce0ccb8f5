/** Builds the app when its sources are not those of the last build. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

const builtFrom = ['index.html', 'vite.config.ts', 'package-lock.json', 'public', 'src'];
/** Parts that never reach the page, and what only tests read. */
const notBuilt = /(^|\/)src\/(server|convert)\/|\.test\.ts$|\/fixtures\//;
/** Settings that end up in the built files. */
const buildSettings = ['EDGESHARD_SIGNALLING', 'EDGESHARD_ICE'];

/**
 * Brings `distDir` up to date with the sources in `projectDir`; resolves to whether that took a build.
 * Throws with the bundler's own words if the sources do not build.
 */
export async function buildApp(
  projectDir: string,
  distDir: string,
  onBuild: () => void = () => undefined,
): Promise<boolean> {
  const sources = await hashSources(projectDir);
  // A dot file, so that it is not served.
  const stamp = join(distDir, '.built-from');
  if ((await readFile(stamp, 'utf8').catch(() => null)) === sources) return false;
  onBuild();
  await runVite(projectDir, distDir);
  await writeFile(stamp, sources);
  return true;
}

/** One hash over the content of every file the build reads, and the settings it bakes in. */
async function hashSources(projectDir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of buildSettings) hash.update(`${name}=${process.env[name] ?? ''}\n`);
  for (const path of await filesUnder(projectDir, builtFrom)) {
    hash.update(`${path}\n`).update(await readFile(join(projectDir, path)));
  }
  return hash.digest('hex');
}

async function filesUnder(projectDir: string, roots: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const root of roots) {
    const info = await stat(join(projectDir, root)).catch(() => null);
    if (info?.isFile()) found.push(root);
    if (!info?.isDirectory()) continue;
    const entries = await readdir(join(projectDir, root), { recursive: true, withFileTypes: true });
    for (const entry of entries)
      if (entry.isFile()) found.push(relative(projectDir, join(entry.parentPath, entry.name)));
  }
  return found
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !notBuilt.test(path))
    .sort();
}

/** In a process of its own: the bundler's memory is given back, and `NODE_ENV` of a test run stays out. */
async function runVite(projectDir: string, distDir: string): Promise<void> {
  const vite = join(
    dirname(createRequire(import.meta.url).resolve('vite/package.json')),
    'bin/vite.js',
  );
  const options = ['--outDir', distDir, '--emptyOutDir', '--logLevel', 'warn'];
  try {
    await promisify(execFile)(process.execPath, [vite, 'build', ...options], {
      cwd: projectDir,
      env: { ...process.env, NODE_ENV: 'production' },
    });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`The app does not build:\n${output}`, { cause: error });
  }
}
