/**
 * Reads checkpoints of llama2.c's first format (`export.py`, version 0): seven int32, then every weight as
 * fp32. Each kind of weight is stored for all blocks before the next kind. Its rotary pairs are adjacent.
 */
import {
  embeddingName,
  finalNormName,
  headName,
  layerTensors,
  type TensorShape,
} from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import { tensorBytes } from '../../model/numbers/dtype.ts';
import type { ManifestTensor } from '../../model/manifest.ts';
import type { ByteSource } from '../sources/byte-source.ts';
import { checkpointOf, type Checkpoint, type ModelLabel } from '../checkpoint.ts';
import { convertLlama2cTokenizer } from './llama2c-tokenizer.ts';
import { jsonSource } from '../sources/json-source.ts';

const headerBytes = 28;

/**
 * @param tokenizer the llama2.c tokenizer file that goes with the checkpoint, or null for none
 * @throws Error if the header and the file's size do not agree
 */
export async function openLlama2c(
  source: ByteSource,
  tokenizer: ByteSource | null,
  label: ModelLabel,
): Promise<Checkpoint> {
  const config = await readHeader(source);
  const offsets = layOut(config, source.bytes);
  const layers = layerTensors(config).map((layer) => ({
    ...layer,
    tensors: layer.tensors.map((tensor) => locate(tensor, offsets)),
  }));
  return checkpointOf({
    label,
    config,
    layers,
    weights: [{ path: 'model.bin', source }],
    tokenizer: tokenizer && (await readTokenizer(tokenizer, config)),
    chatTemplate: null,
  });
}

async function readTokenizer(file: ByteSource, config: ModelConfig): Promise<ByteSource> {
  const bytes = await file.read(0, file.bytes);
  return jsonSource(convertLlama2cTokenizer(bytes, config.vocab_size));
}

async function readHeader(source: ByteSource): Promise<ModelConfig> {
  if (source.bytes < headerBytes)
    throw new Error(
      `a llama2.c checkpoint starts with ${headerBytes} bytes of header, and this file has ` +
        `${source.bytes} bytes in all`,
    );
  const view = new DataView((await source.read(0, headerBytes)).buffer);
  if (view.getUint32(0, true) === 0x616b3432)
    throw new Error(
      'this llama2.c checkpoint is of version 1 or later; export it as version 0 (fp32) instead',
    );
  const [dim, hidden, blocks, heads, kvHeads, vocab, context] = Array.from({ length: 7 }, (_, i) =>
    view.getInt32(4 * i, true),
  );
  const figures = { dim, hidden, blocks, heads, kvHeads, vocab: Math.abs(vocab), context };
  for (const [name, value] of Object.entries(figures))
    if (value < 1 || value > 1 << 24)
      throw new Error(
        `this is no llama2.c checkpoint: its header gives ${value} for ${name}, ` +
          `where a number from 1 to ${1 << 24} belongs`,
      );
  if (blocks > 1024 || dim % heads !== 0 || heads % kvHeads !== 0)
    throw new Error(
      `this is no llama2.c checkpoint: its header gives ${blocks} blocks of width ${dim} with ` +
        `${heads} heads and ${kvHeads} key-value heads, which do not fit together`,
    );
  return {
    model_type: 'llama',
    hidden_size: dim,
    intermediate_size: hidden,
    num_hidden_layers: blocks,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: dim / heads,
    vocab_size: Math.abs(vocab),
    max_position_embeddings: context,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    // In this format a negative vocabulary size means that the head has its own weights.
    tie_word_embeddings: vocab > 0,
    hidden_act: 'silu',
    attention_bias: false,
    sliding_window: null,
    bos_token_id: 1,
    // The training stories follow each other with a BOS between them, so either token ends one.
    eos_token_id: [1, 2],
  };
}

/** Where every tensor begins, in the order of `export.py`'s `legacy_export`. */
function layOut(config: ModelConfig, fileBytes: number): Map<string, number> {
  const offsets = new Map<string, number>();
  const byName = new Map(
    layerTensors(config).flatMap(({ tensors }) => tensors.map(({ name, shape }) => [name, shape])),
  );
  let end = headerBytes;
  const place = (name: string): void => {
    offsets.set(name, end);
    end += tensorBytes('F32', byName.get(name) ?? []);
  };
  const placeInBlocks = (name: string): void => {
    for (let block = 0; block < config.num_hidden_layers; block++)
      place(`model.layers.${block}.${name}.weight`);
  };
  place(embeddingName);
  placeInBlocks('input_layernorm');
  for (const projection of ['q', 'k', 'v', 'o']) placeInBlocks(`self_attn.${projection}_proj`);
  placeInBlocks('post_attention_layernorm');
  // w1, w2, w3 of the paper's SwiGLU.
  for (const projection of ['gate', 'down', 'up']) placeInBlocks(`mlp.${projection}_proj`);
  place(finalNormName);
  // Skips the tables of cosines and sines, which readers compute themselves. Each is half a head wide.
  end += 4 * config.max_position_embeddings * config.head_dim;
  if (!config.tie_word_embeddings) place(headName);
  if (end !== fileBytes)
    throw new Error(
      `by its header this llama2.c checkpoint takes ${end} bytes, but the file has ${fileBytes}: ` +
        'it is cut short, or not such a checkpoint',
    );
  return offsets;
}

function locate({ name, shape }: TensorShape, offsets: Map<string, number>): ManifestTensor {
  const rotary = /self_attn\.[qk]_proj/.test(name);
  return {
    name,
    dtype: 'F32',
    shape,
    file: 0,
    offset: offsets.get(name) ?? 0,
    bytes: tensorBytes('F32', shape),
    ...(rotary && { interleavedRotary: true }),
  };
}
