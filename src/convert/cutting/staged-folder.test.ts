import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeWholeFolder } from './staged-folder.ts';

let parent = '';
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'staged-'));
});
afterEach(() => rm(parent, { recursive: true }));

function write(text: string): (staging: string) => Promise<void> {
  return (staging) => writeFile(join(staging, 'file'), text);
}

describe('writeWholeFolder', () => {
  it('puts a folder in place, and a newer one in its place', async () => {
    const folder = join(parent, 'model');
    await writeWholeFolder(folder, write('old'));
    await writeWholeFolder(folder, write('new'));
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('new');
    expect(await readdir(parent)).toEqual(['model']);
  });

  it('keeps the old folder until the new one is complete, and when it never is', async () => {
    const folder = join(parent, 'model');
    await writeWholeFolder(folder, write('old'));
    const failing = writeWholeFolder(folder, async (staging) => {
      await write('half')(staging);
      expect(await readFile(join(folder, 'file'), 'utf8')).toBe('old');
      throw new Error('no more disk');
    });
    await expect(failing).rejects.toThrow('no more disk');
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('old');
    expect(await readdir(parent)).toEqual(['model']);
  });

  it('removes what a killed process left, and leaves a living one alone', async () => {
    // No process has the highest number; the first one always runs.
    await mkdir(join(parent, '.model.partial-4194303'));
    await mkdir(join(parent, '.model.partial-1'));
    await writeWholeFolder(join(parent, 'model'), write('new'));
    expect((await readdir(parent)).sort()).toEqual(['.model.partial-1', 'model']);
  });
});
