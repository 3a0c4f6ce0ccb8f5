/** What a folder in Hugging Face's layout says of its model; a folder may hold a tokenizer or a configuration alone. */
import * as v from 'valibot';
import { errorMessage } from '../../../base/error-message.ts';
import type { Checkpoint } from '../../checkpoint.ts';
import { readGenerationConfig } from '../../hub/generation-config.ts';
import { readChatTemplate } from '../../hub/chat-template-files.ts';
import { readDescription } from '../../hub/hub-model.ts';
import { openHubTokenizer } from '../../hub/hub-tokenizer.ts';
import { readSpecialTokens } from '../../hub/special-tokens.ts';
import { storedTypes } from '../../hub/safetensors.ts';
import { weightFiles } from '../../hub/weight-files.ts';
import { readJson, type FileTree } from '../../sources/file-tree.ts';
import { checkpointFacts, tokenizerFacts } from './checkpoint-facts.ts';
import { noFacts, weightsByType, type ModelFacts } from './model-facts.ts';

const maxConfigBytes = 1 << 20;
const maxJsonBytes = 64 << 20;

/**
 * @param openWhole opens the folder's model, as a room does; null where the folder has no weights and need not have any
 */
export async function readFolder(
  tree: FileTree,
  openWhole: (() => Promise<Checkpoint>) | null,
): Promise<ModelFacts> {
  if (!openWhole) return readParts(tree, null);
  try {
    const facts = await checkpointFacts(await openWhole(), 'folder');
    const config = await readConfig(tree);
    return { ...facts, family: config.model_type ?? facts.family };
  } catch (error) {
    return readParts(tree, errorMessage(error));
  }
}

/** Each part by itself: one that is refused does not hide the others. */
async function readParts(tree: FileTree, refusal: string | null): Promise<ModelFacts> {
  const problems = refusal === null ? [] : [refusal];
  async function attempt<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      problems.push(errorMessage(error));
      return null;
    }
  }

  const hasConfig = (await attempt(() => tree.open('config.json'))) !== null;
  const raw = hasConfig ? await attempt(() => readConfig(tree)) : null;
  const described = hasConfig ? await attempt(() => readDescription(tree)) : null;
  const chatTemplate = described
    ? described.about.chatTemplate
    : await attempt(() => readChatTemplate(tree));
  const tokenizer = await attempt(() => readTokenizer(tree, chatTemplate));
  const sampling = described?.about.sampling ?? (await attempt(() => readSampling(tree)));
  const weights = await readWeights(tree);
  const facts: ModelFacts = {
    ...noFacts(hasConfig || refusal !== null ? 'folder' : 'tokenizer'),
    family: raw?.model_type ?? null,
    config: described?.config ?? null,
    figures: {
      layers: raw?.num_hidden_layers ?? null,
      hiddenSize: raw?.hidden_size ?? null,
      vocabularySize: raw?.vocab_size ?? null,
      contextLength: raw?.max_position_embeddings ?? null,
    },
    ...weights,
    ...tokenizer,
    stopIds: described?.config.eos_token_id ?? null,
    chatTemplate,
    specialTokens: described?.about.specialTokens ?? (await attempt(() => readNames(tree))) ?? {},
    sampling: sampling ?? {},
  };
  const isEmpty = !hasConfig && !facts.tokenizer && !facts.chatTemplate && weights.bytes === null;
  if (isEmpty && problems.length === 0) problems.push(nothingFound);
  return { ...facts, refusal: problems.at(0) ?? null };
}

const nothingFound =
  'there is no config.json, tokenizer.json, tokenizer.model, chat_template.jinja or .gguf file: this folder holds no model; give the folder that the model’s page on the hub shows, or a .gguf file';

const figure = v.fallback(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), null);
const ConfigSchema = v.object({
  model_type: v.fallback(v.nullable(v.string()), null),
  num_hidden_layers: figure,
  hidden_size: figure,
  vocab_size: figure,
  max_position_embeddings: figure,
});

/** What can be told of a configuration that may be refused. */
async function readConfig(tree: FileTree): Promise<Partial<v.InferOutput<typeof ConfigSchema>>> {
  const file = await readJson(tree, 'config.json', maxConfigBytes);
  const checked = v.safeParse(ConfigSchema, file?.json);
  return checked.success ? checked.output : {};
}

async function readTokenizer(
  tree: FileTree,
  chatTemplate: string | null,
): Promise<Pick<ModelFacts, 'tokenizer' | 'tokenizerKind'> | null> {
  const source = await openHubTokenizer(tree);
  return source && tokenizerFacts(source, chatTemplate);
}

async function readNames(tree: FileTree): Promise<ModelFacts['specialTokens']> {
  const config = await readJson(tree, 'tokenizer_config.json', maxJsonBytes);
  const map = await readJson(tree, 'special_tokens_map.json', maxConfigBytes);
  return readSpecialTokens([config?.json, map?.json]);
}

async function readSampling(tree: FileTree): Promise<ModelFacts['sampling']> {
  const file = await readJson(tree, 'generation_config.json', maxConfigBytes);
  return readGenerationConfig(file?.json).sampling;
}

/** The types of weights of a model that is refused. What is wrong with the files is said by the refusal. */
async function readWeights(tree: FileTree): Promise<Pick<ModelFacts, 'weights' | 'bytes'>> {
  try {
    const tensors: { dtype: string; bytes: number }[] = [];
    let bytes = 0;
    for (const { path, source } of await weightFiles(tree)) {
      bytes += source.bytes;
      tensors.push(...(await storedTypes(source, path)));
    }
    return { weights: weightsByType(tensors), bytes };
  } catch {
    return { weights: null, bytes: null };
  }
}
