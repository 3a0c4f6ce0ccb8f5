import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { buildApp } from './build-app.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

test('builds at first, then only when what the page is made of has changed', async () => {
  const project = await smallProject();
  const dist = join(project, 'dist');
  expect(await buildApp(project, dist)).toBe(true);
  expect(await readFile(join(dist, 'index.html'), 'utf8')).toContain('assets/index-');
  expect(await buildApp(project, dist)).toBe(false);

  await write(project, 'src/server/server.ts', 'not part of the page');
  await write(project, 'src/main.test.ts', 'neither is a test');
  expect(await buildApp(project, dist)).toBe(false);

  await write(project, 'src/main.ts', 'document.title = "changed";');
  expect(await buildApp(project, dist)).toBe(true);
  const [script] = await readdir(join(dist, 'assets'));
  expect(await readFile(join(dist, 'assets', script), 'utf8')).toContain('changed');
});

test('sources that do not build: the bundler says why, and the next start tries again', async () => {
  const project = await smallProject();
  await write(project, 'src/main.ts', 'import "./missing.ts";');
  await expect(buildApp(project, join(project, 'dist'))).rejects.toThrow(
    /does not build:[^]*missing/,
  );
  await write(project, 'src/missing.ts', 'document.title = "found";');
  expect(await buildApp(project, join(project, 'dist'))).toBe(true);
});

async function smallProject(): Promise<string> {
  const project = await temporaryFolder();
  await write(project, 'index.html', '<script type="module" src="/src/main.ts"></script>');
  await write(project, 'src/main.ts', 'document.title = "first";');
  await write(project, 'vite.config.ts', 'export default {};');
  return project;
}

async function write(project: string, path: string, content: string): Promise<void> {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), content);
}
