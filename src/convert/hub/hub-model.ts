/** Opens a model in Hugging Face's layout: `config.json`, safetensors, tokenizer, chat template. */
import * as v from 'valibot';
import { layerTensors, type TensorShape } from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import type { ManifestLayer, ManifestTensor } from '../../model/manifest.ts';
import { checkpointOf, type Checkpoint, type ModelLabel } from '../checkpoint.ts';
import { readJson, readText, type FileTree } from '../sources/file-tree.ts';
import { splitFused } from '../fused-tensors.ts';
import type { NamedTensor } from './foreign-quantisation.ts';
import { readGenerationConfig, readHubConfig } from './hub-config.ts';
import { openHubTokenizer } from './hub-tokenizer.ts';
import { textTensors } from './text-part.ts';
import { readWeights, type LocatedTensor } from './weight-files.ts';

const maxJsonBytes = 64 << 20;
const maxConfigBytes = 1 << 20;

/** @throws Error that names the file, and the architecture, option or tensor at fault */
export async function openHubModel(tree: FileTree, label: ModelLabel): Promise<Checkpoint> {
  const { config, about } = await readDescription(tree);
  const weights = await readWeights(tree);
  const tensors = textTensors(weights.tensors);
  const leftOut = textTensors(weights.leftOut);
  splitFused(tensors, config);
  const layers = layerTensors(config).map((layer): ManifestLayer => ({
    ...layer,
    tensors: layer.tensors.map((tensor) => find(tensor, tensors, leftOut)),
  }));
  refuseUnknown(tensors, config);
  const tokenizer = await openHubTokenizer(tree);
  return checkpointOf({ label, config, layers, weights: weights.files, tokenizer, ...about });
}

/** What the folder says about the model, without its weights. */
export async function readDescription(tree: FileTree): Promise<{
  config: ModelConfig;
  about: { chatTemplate: string | null; sampling: Record<string, number> };
}> {
  const configFile = await readJson(tree, 'config.json', maxConfigBytes);
  if (!configFile) throw new Error('there is no config.json: this is not a Hugging Face model');
  const generationFile = await readJson(tree, 'generation_config.json', maxConfigBytes);
  const { eos, sampling } = readGenerationConfig(generationFile?.json ?? {});
  const config = readHubConfig(configFile.json, eos);
  return { config, about: { chatTemplate: await readChatTemplate(tree), sampling } };
}

const TemplateSchema = v.looseObject({
  chat_template: v.optional(
    v.nullable(
      v.union([v.string(), v.array(v.looseObject({ name: v.string(), template: v.string() }))]),
    ),
  ),
});

/** Null where the folder has none. */
export async function readChatTemplate(tree: FileTree): Promise<string | null> {
  const alone = await readText(tree, 'chat_template.jinja', maxConfigBytes);
  if (alone !== null) return alone;
  const file = await readJson(tree, 'tokenizer_config.json', maxJsonBytes);
  const checked = v.safeParse(TemplateSchema, file?.json);
  if (!checked.success) return null;
  const { chat_template: template } = checked.output;
  if (template === null || template === undefined || typeof template === 'string')
    return template ?? null;
  return (template.find(({ name }) => name === 'default') ?? template.at(0))?.template ?? null;
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
