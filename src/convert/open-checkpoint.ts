/** Opens whatever a person points at, telling formats apart by what the files hold. */
import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Checkpoint, ModelLabel } from './checkpoint.ts';
import { openFileSource } from './file-source.ts';
import { openLlama2c } from './llama2c.ts';

export interface OpenedCheckpoint {
  checkpoint: Checkpoint;
  close: () => Promise<void>;
}

/**
 * @param input a llama2.c `.bin` file (with its `tokenizer.bin` beside it, if there is one)
 */
export async function openCheckpointAt(
  input: string,
  label: Partial<ModelLabel> = {},
): Promise<OpenedCheckpoint> {
  const name = label.name ?? modelNameOf(input);
  const full = { title: name, licence: 'unknown', ...label, name };
  const source = await openFileSource(input);
  const tokenizerPath = join(dirname(input), 'tokenizer.bin');
  const tokenizer = (await isFile(tokenizerPath)) ? await openFileSource(tokenizerPath) : null;
  const close = async (): Promise<void> => {
    await source.close();
    await tokenizer?.close();
  };
  try {
    return { checkpoint: await openLlama2c(source, tokenizer, full), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A model's name from its file or folder: letters, digits, dots, dashes. */
export function modelNameOf(input: string): string {
  const stem = basename(input, extname(input)).replace(/[^A-Za-z0-9._-]+/g, '-');
  return stem.replace(/^[^A-Za-z0-9]+/, '').slice(0, 128) || 'model';
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
