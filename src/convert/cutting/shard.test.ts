import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseManifestText } from '../../model/parse-manifest.ts';
import { tinyLlama2c } from '../fixtures/tiny-llama2c.ts';

const command = fileURLToPath(new URL('./shard.ts', import.meta.url));
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shard-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs the command as `npm run shard` does. */
function shard(...args: string[]): Promise<{ code: number; output: string; complaint: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', command, ...args], (error, output, complaint) =>
      resolve({ code: error ? Number(error.code) : 0, output, complaint }),
    );
  });
}

describe('npm run shard', () => {
  it('cuts a checkpoint and says where the manifest is', async () => {
    const input = join(folder, 'tiny.bin');
    await writeFile(input, tinyLlama2c());
    const args = [
      '--out',
      join(folder, 'out'),
      '--weights',
      'q8',
      '--name',
      'small',
      '--licence',
      'MIT',
    ];
    const { code, output } = await shard(input, ...args);
    expect(code).toBe(0);
    expect(output.trim()).toBe(join(folder, 'out', 'small', 'manifest.json'));
    const manifest = parseManifestText(await readFile(output.trim(), 'utf8'));
    expect(manifest).toMatchObject({ name: 'small', licence: 'MIT' });
    expect(manifest.layers[1].tensors[1].dtype).toBe('Q8_0');
  });

  it('explains what is wrong in one line, fails, and leaves nothing behind', async () => {
    const input = join(folder, 'torn.bin');
    await writeFile(input, tinyLlama2c().subarray(0, 5000));
    const { code, complaint } = await shard(input, '--out', join(folder, 'out'));
    expect(code).toBe(1);
    expect(complaint.trim()).toMatch(/^by its header .* cut short, or not such a checkpoint$/);
    expect(await readdir(folder)).toEqual(['torn.bin']);
    expect((await shard(input, '--weights', 'q3')).complaint).toMatch(
      /f32, f16, q8 or q4, not "q3"/,
    );
  });
});
