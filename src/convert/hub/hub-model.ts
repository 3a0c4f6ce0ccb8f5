/** Opens a model in Hugging Face's layout: `config.json`, safetensors, tokenizer, chat template. */
import { stopTokensOf } from '../../model/chat/stop-tokens.ts';
import { layerTensors, type TensorShape } from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import type { ManifestLayer, ManifestSpecialTokens, ManifestTensor } from '../../model/manifest.ts';
import { checkpointOf, type Checkpoint, type ModelLabel } from '../checkpoint.ts';
import type { ByteSource } from '../sources/byte-source.ts';
import { readJson, type FileTree } from '../sources/file-tree.ts';
import { splitFused } from '../fused-tensors.ts';
import { readChatTemplate } from './chat-template-files.ts';
import type { NamedTensor } from './foreign-quantisation.ts';
import { readGenerationConfig } from './generation-config.ts';
import { readHubConfig } from './hub-config.ts';
import { openHubTokenizer } from './hub-tokenizer.ts';
import { readSpecialTokens } from './special-tokens.ts';
import { textTensors } from './text-part.ts';
import { readTokenizerWords } from './tokenizer-words.ts';
import { readWeights, type LocatedTensor } from './weight-files.ts';

const maxJsonBytes = 64 << 20;
const maxConfigBytes = 1 << 20;

/** @throws Error that names the file, and the architecture, option or tensor at fault */
export async function openHubModel(tree: FileTree, label: ModelLabel): Promise<Checkpoint> {
  const tokenizer = await openHubTokenizer(tree);
  const { config, about } = await readDescription(tree, tokenizer);
  const weights = await readWeights(tree);
  const tensors = textTensors(weights.tensors);
  const leftOut = textTensors(weights.leftOut);
  splitFused(tensors, config);
  const layers = layerTensors(config).map((layer): ManifestLayer => ({
    ...layer,
    tensors: layer.tensors.map((tensor) => find(tensor, tensors, leftOut)),
  }));
  refuseUnknown(tensors, config);
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
 * @param tokenizer its tokenizer, in the form of a `tokenizer.json`, which tells the ids of tokens that are named by their spelling. It is
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
  const source = tokenizer === undefined ? await openHubTokenizer(tree) : tokenizer;
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

function find(
  { name, shape }: TensorShape,
  tensors: Map<string, LocatedTensor>,
  leftOut: Map<string, NamedTensor>,
): ManifestTensor {
  const tensor = tensors.get(name);
  const unreadable = leftOut.get(name);
  if (!tensor && unreadable)
    throw new Error(
      `the checkpoint stores ${name} as ${unreadable.dtype}, which cannot be read here: ` +
        'take one in F32, F16 or BF16, or a GGUF file of it',
    );
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
