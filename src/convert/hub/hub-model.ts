/** Opens a model in Hugging Face's layout: `config.json`, safetensors, tokenizer, chat template. */
import * as v from 'valibot';
import { stopTokensOf } from '../../model/chat/stop-tokens.ts';
import { layerTensors, type TensorShape } from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import {
  relativePath,
  type ManifestLayer,
  type ManifestSpecialTokens,
  type ManifestTensor,
} from '../../model/manifest.ts';
import {
  checkpointOf,
  type Checkpoint,
  type CheckpointFile,
  type ModelLabel,
} from '../checkpoint.ts';
import type { ByteSource } from '../sources/byte-source.ts';
import { readJson, type FileTree } from '../sources/file-tree.ts';
import { splitFused } from '../fused-tensors.ts';
import { readChatTemplate } from './chat-template-files.ts';
import { readGenerationConfig } from './generation-config.ts';
import { readHubConfig } from './hub-config.ts';
import { readSafetensors, type StoredRange } from './safetensors.ts';
import { readSpecialTokens } from './special-tokens.ts';
import { readTokenizerWords } from './tokenizer-words.ts';

export { readChatTemplate } from './chat-template-files.ts';

const maxJsonBytes = 64 << 20;
const maxConfigBytes = 1 << 20;

/** A tensor, and which of the checkpoint's files it lies in. */
type LocatedTensor = StoredRange & { file: number };

/** @throws Error that names the file, and the architecture, option or tensor at fault */
export async function openHubModel(tree: FileTree, label: ModelLabel): Promise<Checkpoint> {
  const tokenizer = await tree.open('tokenizer.json');
  const { config, about } = await readDescription(tree, tokenizer);
  const weights = await readWeights(tree);
  splitFused(weights.tensors, config);
  refuseUnknown(weights.tensors, config);
  const layers = layerTensors(config).map((layer): ManifestLayer => ({
    ...layer,
    tensors: layer.tensors.map((tensor) => find(tensor, weights.tensors)),
  }));
  return checkpointOf({ label, config, layers, weights: weights.files, tokenizer, ...about });
}

/** What a folder says about a model beside the figures of its weights. */
export interface HubAbout {
  chatTemplate: string | null;
  specialTokens: ManifestSpecialTokens;
  sampling: Record<string, number>;
}

/**
 * What the folder says about the model, without its weights.
 *
 * @param tokenizer its `tokenizer.json`, which tells the ids of tokens that are named by their spelling. It is
 *   looked for in the folder where it is not given.
 */
export async function readDescription(
  tree: FileTree,
  tokenizer?: ByteSource | null,
): Promise<{ config: ModelConfig; about: HubAbout }> {
  const configFile = await readJson(tree, 'config.json', maxConfigBytes);
  if (!configFile) throw new Error('there is no config.json: this is not a Hugging Face model');
  const generationFile = await readJson(tree, 'generation_config.json', maxConfigBytes);
  const { eos, sampling } = readGenerationConfig(generationFile?.json);
  const config = readHubConfig(configFile.json, eos);
  const tokenizerConfig = (await readJson(tree, 'tokenizer_config.json', maxJsonBytes))?.json;
  const tokensMap = (await readJson(tree, 'special_tokens_map.json', maxConfigBytes))?.json;
  const specialTokens = readSpecialTokens([tokenizerConfig, tokensMap]);
  const spellings = specialTokens.eos_token ? [specialTokens.eos_token] : [];
  const source = tokenizer === undefined ? await tree.open('tokenizer.json') : tokenizer;
  const words = await readTokenizerWords(source, spellings);
  const stops = stopTokensOf({ ids: config.eos_token_id, spellings }, words);
  return {
    config: { ...config, eos_token_id: stops },
    about: {
      chatTemplate: await readChatTemplate(tree, tokenizerConfig),
      specialTokens,
      sampling,
    },
  };
}

const IndexSchema = v.looseObject({ weight_map: v.record(v.string(), relativePath) });

/** Each costs a request of its own; the largest published models have some two hundred. */
const maxWeightFiles = 1000;

async function readWeights(tree: FileTree): Promise<{
  tensors: Map<string, LocatedTensor>;
  files: CheckpointFile[];
}> {
  const tensors = new Map<string, LocatedTensor>();
  const files: CheckpointFile[] = [];
  for (const path of await weightPaths(tree)) {
    const source = await tree.open(path);
    if (!source) throw new Error(`${path} is missing, though the model's index names it`);
    for (const [name, range] of await readSafetensors(source, path)) {
      if (tensors.has(name)) throw new Error(`${path}: ${name} is in another file as well`);
      tensors.set(name, { ...range, file: files.length });
    }
    files.push({ path, source });
  }
  return { tensors, files };
}

async function weightPaths(tree: FileTree): Promise<string[]> {
  const indexPath = 'model.safetensors.index.json';
  const index = await readJson(tree, indexPath, maxJsonBytes);
  if (!index) {
    if (await tree.open('model.safetensors')) return ['model.safetensors'];
    throw new Error(
      'there is neither model.safetensors nor model.safetensors.index.json: ' +
        'from a Hugging Face folder only safetensors can be read; if it holds GGUF files, name one of them',
    );
  }
  const checked = v.safeParse(IndexSchema, index.json);
  if (!checked.success)
    throw new Error(`${indexPath} has no weight_map of tensors and files of this folder`);
  const paths = [...new Set(Object.values(checked.output.weight_map))].sort();
  if (paths.length > maxWeightFiles)
    throw new Error(
      `${indexPath} names ${paths.length} files, where at most ${maxWeightFiles} are expected`,
    );
  return paths;
}

function find({ name, shape }: TensorShape, tensors: Map<string, LocatedTensor>): ManifestTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the checkpoint lacks the tensor ${name} (${shape.join(' × ')})`);
  return { name, ...tensor };
}

/** Tables that readers compute themselves, and heads that repeat a tied embedding. */
const superfluous = /rotary_emb\.inv_freq$|masked_bias$|^lm_head\.weight$/;

/** Refuses tensors that no layer uses: without them the results would be wrong. */
function refuseUnknown(tensors: Map<string, unknown>, config: ModelConfig): void {
  const used = new Set(
    layerTensors(config).flatMap((layer) => layer.tensors.map(({ name }) => name)),
  );
  for (const name of tensors.keys())
    if (!used.has(name) && !superfluous.test(name))
      throw new Error(
        `the checkpoint holds ${name}, which ${config.model_type} with this config.json ` +
          'does not use here: its results would be wrong',
      );
}
