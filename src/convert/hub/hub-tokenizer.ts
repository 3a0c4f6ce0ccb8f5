/** Finds the tokenizer of a folder in Hugging Face's layout. */
import { jsonSource } from '../sources/json-source.ts';
import { readJson, type FileTree } from '../sources/file-tree.ts';
import type { ByteSource } from '../sources/byte-source.ts';
import { sentencePieceFolderTokenizer } from '../tokenizers/sentencepiece-folder.ts';

/** The largest published `tokenizer.model` has 4 MiB. */
const maxModelBytes = 32 << 20;
const maxJsonBytes = 64 << 20;

/**
 * @returns its `tokenizer.json`, or one built from its `tokenizer.model`; null if it has neither
 * @throws Error that names the file at fault
 */
export async function openHubTokenizer(tree: FileTree): Promise<ByteSource | null> {
  const file = await tree.open('tokenizer.json');
  if (file) return file;
  const model = await tree.open('tokenizer.model');
  if (!model) return null;
  if (model.bytes > maxModelBytes)
    throw new Error(
      `tokenizer.model has ${model.bytes} bytes, where at most ${maxModelBytes} are expected`,
    );
  const addedTokens = await readJson(tree, 'added_tokens.json', maxJsonBytes);
  const config = await readJson(tree, 'tokenizer_config.json', maxJsonBytes);
  return jsonSource(
    sentencePieceFolderTokenizer({
      model: await model.read(0, model.bytes),
      addedTokens: addedTokens?.json,
      config: config?.json,
    }),
  );
}
