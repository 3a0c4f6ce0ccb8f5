import { randomBytes } from 'node:crypto';
import { readFile, readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { contentCopies, forgetUnusedCopies } from './content-copies.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

const text = Buffer.from('a shard is the weights of a device’s rows. '.repeat(200));

test('copies are smaller and give the content back', async () => {
  const { whole, compressed } = await contentCopies(await temporaryFolder(), text, true);
  expect(await readFile(whole.path)).toEqual(text);
  expect(brotliDecompressSync(await readFile(compressed.br?.path ?? ''))).toEqual(text);
  expect(gunzipSync(await readFile(compressed.gzip?.path ?? ''))).toEqual(text);
  expect(compressed.br?.bytes).toBeLessThan(text.byteLength / 10);
});

test('what does not shrink has no compressed copy', async () => {
  const noise = randomBytes(10_000);
  expect((await contentCopies(await temporaryFolder(), noise, true)).compressed).toEqual({});
  expect((await contentCopies(await temporaryFolder(), text, false)).compressed).toEqual({});
});

test('the same content is compressed once', async () => {
  const folder = await temporaryFolder();
  const first = await contentCopies(folder, text, true);
  const madeAt = (await stat(first.compressed.br?.path ?? '')).birthtimeMs;
  const second = await contentCopies(folder, Buffer.from(text), true);
  expect(second).toEqual(first);
  expect((await stat(second.compressed.br?.path ?? '')).birthtimeMs).toBe(madeAt);
});

test('copies that no start uses any more are forgotten after a month, others stay', async () => {
  const folder = await temporaryFolder();
  await contentCopies(folder, text, true);
  const old = await contentCopies(folder, Buffer.from('old'), false);
  const fortyDaysAgo = new Date(Date.now() - 40 * 24 * 60 * 60 * 1000);
  await utimes(join(folder, old.sha256), fortyDaysAgo, fortyDaysAgo);
  await forgetUnusedCopies(folder);
  const left = await readdir(folder);
  expect(left).toHaveLength(3);
  expect(left).not.toContain(old.sha256);
});
