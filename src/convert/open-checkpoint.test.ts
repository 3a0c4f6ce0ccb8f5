import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinySafetensors, writeSafetensors } from './fixtures/safetensors-writer.ts';
import { tinyGguf, tinyGgufConfig } from './fixtures/tiny-gguf.ts';
import { tinyLlama2c, tinyLlama2cTokenizer, tinyPieces } from './fixtures/tiny-llama2c.ts';
import { modelNameOf, openCheckpointAt } from './open-checkpoint.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, data: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, data);
  return path;
}

/** The name and tokenizer of a checkpoint once opened. */
async function described(path: string): Promise<{ name: string; tokenizer: string | null }> {
  const { checkpoint, close } = await openCheckpointAt(path);
  await close();
  return checkpoint.manifest;
}

describe('openCheckpointAt', () => {
  it('reads a llama2.c checkpoint, with the tokenizer that lies beside it', async () => {
    const path = await put('stories tiny.bin', tinyLlama2c());
    expect(await described(path)).toMatchObject({ name: 'stories-tiny', tokenizer: null });
    await put('tokenizer.bin', tinyLlama2cTokenizer(tinyPieces));
    expect(await described(path)).toMatchObject({ tokenizer: 'tokenizer.json' });
  });

  it('reads a GGUF file', async () => {
    const path = await put('tiny.Q8_0.gguf', tinyGguf(tinyGgufConfig, 'Q8_0'));
    expect(await described(path)).toMatchObject({ name: 'tiny.Q8_0', tokenizer: 'tokenizer.json' });
  });

  it('reads a Hugging Face folder', async () => {
    await mkdir(join(folder, 'hub'));
    const config = { ...tinyGgufConfig, rope_scaling: null };
    await put('hub/config.json', JSON.stringify(config));
    await put('hub/model.safetensors', writeSafetensors(tinySafetensors(tinyGgufConfig)));
    expect(await described(join(folder, 'hub'))).toMatchObject({ name: 'hub', tokenizer: null });
  });

  it('reads the shallowest model of a folder: a Hugging Face folder, or a GGUF file', async () => {
    await mkdir(join(folder, 'all/hub/onnx'), { recursive: true });
    await mkdir(join(folder, 'gguf/mmproj'), { recursive: true });
    const config = { ...tinyGgufConfig, rope_scaling: null };
    await put('all/hub/config.json', JSON.stringify(config));
    await put('all/hub/onnx/config.json', JSON.stringify({ ...config, hidden_size: 8 }));
    await put('all/hub/model.safetensors', writeSafetensors(tinySafetensors(tinyGgufConfig)));
    await put('all/hub/model.safetensors.index.json', '{"weight_map": {"a": "gone.safetensors"}}');
    expect(await described(join(folder, 'all'))).toMatchObject({ name: 'all', tokenizer: null });
    await put('gguf/TINY.GGUF', tinyGguf());
    await put('gguf/mmproj/mmproj-tiny.gguf', 'no model');
    expect(await described(join(folder, 'gguf'))).toMatchObject({ tokenizer: 'tokenizer.json' });
  });

  it('knows the note that Git LFS leaves in the place of a file', async () => {
    const note = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n';
    const path = await put('tiny.gguf', note);
    await expect(described(path)).rejects.toThrow(/^tiny\.gguf is only Git LFS's note/);
  });

  it('asks for the parts of a split GGUF file that are not there', async () => {
    const path = await put('big-00002-of-00002.gguf', tinyGguf());
    await expect(described(path)).rejects.toThrow(/big-00001-of-00002\.gguf/);
  });

  it('says what it found instead of a checkpoint', async () => {
    await expect(described(join(folder, 'nothing.gguf'))).rejects.toThrow(/nothing at/);
    await expect(described(await put('notes.txt', 'hello'))).rejects.toThrow(/give a Hugging Face/);
    await expect(described(folder)).rejects.toThrow(/no config\.json/);
    await expect(described(await put('x.bin', 'hello'))).rejects.toThrow(/28 bytes of header/);
  });
});

describe('modelNameOf', () => {
  it('makes a name that a manifest and a link can carry', () => {
    expect(modelNameOf('/models/SmolLM2-1.7B')).toBe('SmolLM2-1.7B');
    expect(modelNameOf('big-00001-of-00003.gguf')).toBe('big');
    expect(modelNameOf('Mein Modell (neu).bin')).toBe('Mein-Modell-neu-');
    expect(modelNameOf('.bin')).toBe('model');
  });
});
