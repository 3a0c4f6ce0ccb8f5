/**
 * The tensors of each layer of every supported architecture, under their Hugging Face names. Readers of
 * checkpoints look for them, manifests are checked against them, and the engine finds its weights by them.
 */
import type { ModelConfig } from './config.ts';
import { traitsOf, type Traits } from './traits.ts';

export interface TensorShape {
  name: string;
  /** Outermost dimension first; a projection's weight is [out, in]. */
  shape: number[];
}

export const embeddingName = 'model.embed_tokens.weight';
export const headName = 'lm_head.weight';
export const finalNormName = 'model.norm.weight';

export function embedTensors({ vocab_size, hidden_size }: ModelConfig): TensorShape[] {
  return [{ name: embeddingName, shape: [vocab_size, hidden_size] }];
}

/** The head's own projection, or the embedding's if the two are tied. */
function headTensors(config: ModelConfig): TensorShape[] {
  const projection = config.tie_word_embeddings ? embeddingName : headName;
  return [
    { name: finalNormName, shape: [config.hidden_size] },
    { name: projection, shape: [config.vocab_size, config.hidden_size] },
  ];
}

/** One transformer block, counted from 0, in the order of data flow. */
export function blockTensors(config: ModelConfig, block: number): TensorShape[] {
  const traits = traitsOf(config);
  const { hidden_size: hidden, intermediate_size: inner } = config;
  const { mlp_bias: mlpBias = false } = config;
  const queries = config.num_attention_heads * config.head_dim;
  const keys = config.num_key_value_heads * config.head_dim;
  const attentionBias = traits.attentionBias === 'always' || config.attention_bias;
  const outputBias = traits.outputBias && config.attention_bias;
  const { attention, feedForward } = normNames[traits.norms];

  const norm = (name: string | null, width: number): Shapes =>
    name === null ? [] : [[`${name}.weight`, [width]]];
  const linear = (name: string, out: number, inputs: number, bias: boolean): Shapes => [
    [`${name}.weight`, [out, inputs]],
    ...(bias ? ([[`${name}.bias`, [out]]] satisfies Shapes) : []),
  ];
  const tensors: Shapes = [
    ...norm(attention.before, hidden),
    ...linear('self_attn.q_proj', queries, hidden, attentionBias),
    ...linear('self_attn.k_proj', keys, hidden, attentionBias),
    ...linear('self_attn.v_proj', keys, hidden, attentionBias),
    ...queryKeyNorms(traits, config).flatMap(({ name, width }) => norm(name, width)),
    ...linear('self_attn.o_proj', hidden, queries, outputBias),
    ...norm(attention.after, hidden),
    ...norm(feedForward.before, hidden),
    ...linear('mlp.gate_proj', inner, hidden, mlpBias),
    ...linear('mlp.up_proj', inner, hidden, mlpBias),
    ...linear('mlp.down_proj', hidden, inner, mlpBias),
    ...norm(feedForward.after, hidden),
  ];
  return tensors.map(([name, shape]) => ({ name: `${blockPrefix(block)}${name}`, shape }));
}

interface HalfNorms {
  before: string | null;
  after: string | null;
}

/** Names of a block's norms. `post_attention_layernorm` is what follows attention, or what precedes feed-forward. */
export const normNames: Record<Traits['norms'], { attention: HalfNorms; feedForward: HalfNorms }> =
  {
    before: {
      attention: { before: 'input_layernorm', after: null },
      feedForward: { before: 'post_attention_layernorm', after: null },
    },
    after: {
      attention: { before: null, after: 'post_attention_layernorm' },
      feedForward: { before: null, after: 'post_feedforward_layernorm' },
    },
    both: {
      attention: { before: 'input_layernorm', after: 'post_attention_layernorm' },
      feedForward: { before: 'pre_feedforward_layernorm', after: 'post_feedforward_layernorm' },
    },
  };

function queryKeyNorms(
  { queryKeyNorm }: Traits,
  config: ModelConfig,
): { name: string; width: number }[] {
  const { head_dim: headDim, num_attention_heads: heads, num_key_value_heads: kvHeads } = config;
  const [query, key] = ['self_attn.q_norm', 'self_attn.k_norm'];
  switch (queryKeyNorm) {
    case 'none':
      return [];
    case 'each head':
      return [query, key].map((name) => ({ name, width: headDim }));
    case 'all heads':
      return [
        { name: query, width: heads * headDim },
        { name: key, width: kvHeads * headDim },
      ];
  }
}

type Shapes = [name: string, shape: number[]][];

/** The start of the names of a block's tensors. */
export function blockPrefix(block: number): string {
  return `model.layers.${block}.`;
}

/**
 * The layers of a model in the manifest's order: `embed`, every block, `head`. Manifests name blocks
 * `layer.0`, `layer.1` and so on.
 */
export function layerTensors(config: ModelConfig): {
  name: string;
  kind: 'embed' | 'block' | 'head';
  tensors: TensorShape[];
}[] {
  const blocks = Array.from({ length: config.num_hidden_layers }, (_, block) => ({
    name: `layer.${block}`,
    kind: 'block' as const,
    tensors: blockTensors(config, block),
  }));
  return [
    { name: 'embed', kind: 'embed', tensors: embedTensors(config) },
    ...blocks,
    { name: 'head', kind: 'head', tensors: headTensors(config) },
  ];
}
