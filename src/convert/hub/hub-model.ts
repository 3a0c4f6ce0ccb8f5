/** Opens a model in Hugging Face's layout: `config.json`, safetensors, tokenizer, chat template. */
import * as v from 'valibot';
import { layerTensors, type TensorShape } from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import { relativePath, type ManifestLayer, type ManifestTensor } from '../../model/manifest.ts';
import {
  checkpointOf,
  type Checkpoint,
  type CheckpointFile,
  type ModelLabel,
} from '../checkpoint.ts';
import { readJson, readText, type FileTree } from '../sources/file-tree.ts';
import { splitFused } from '../fused-tensors.ts';
import { readGenerationConfig, readHubConfig } from './hub-config.ts';
import { openHubTokenizer } from './hub-tokenizer.ts';
import { readSafetensors, type StoredRange } from './safetensors.ts';

const maxJsonBytes = 64 << 20;
const maxConfigBytes = 1 << 20;

/** A tensor, and which of the checkpoint's files it lies in. */
type LocatedTensor = StoredRange & { file: number };

/** @throws Error that names the file, and the architecture, option or tensor at fault */
export async function openHubModel(tree: FileTree, label: ModelLabel): Promise<Checkpoint> {
  const { config, about } = await readDescription(tree);
  const weights = await readWeights(tree);
  splitFused(weights.tensors, config);
  refuseUnknown(weights.tensors, config);
  const layers = layerTensors(config).map((layer): ManifestLayer => ({
    ...layer,
    tensors: layer.tensors.map((tensor) => find(tensor, weights.tensors)),
  }));
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

async function readChatTemplate(tree: FileTree): Promise<string | null> {
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
