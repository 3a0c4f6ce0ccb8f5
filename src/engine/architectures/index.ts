/** What the engine runs, what it refuses by name, and how the architectures differ outside of their blocks. */
import type { ModelConfig } from '../../model/config.ts';
import { rotaryPairs } from '../../model/rotary/rotary-frequencies.ts';
import { traitsOf, type Traits } from '../../model/traits.ts';
import type { Backend } from '../engine.ts';

export { transformerBlock } from './block.ts';

/**
 * Why a backend would compute such a model wrongly, as the end of a sentence; null if it would not. ONNX
 * Runtime's attention on WebGPU (1.30) accepts `softcap` but ignores it.
 */
export function wrongOn(backend: Backend, config: ModelConfig): string | null {
  return backend === 'webgpu' && traitsOf(config).scalesScores && config.attn_logit_softcapping
    ? 'bounds its attention scores, which ONNX Runtime does not do on WebGPU'
    : null;
}

/** @throws Error that names the architecture that is not known, or what the engine lacks for such a model */
export function refuseUnsupported(config: ModelConfig): void {
  const missing = unsupported(config, traitsOf(config));
  if (missing) throw new Error(`this ${config.model_type} model ${missing}, which is missing here`);
}

/** The factor of embeddings; 1 for most architectures. */
export function embeddingScale(config: ModelConfig): number {
  const traits = traitsOf(config);
  if (traits.scalesEmbedding) return Math.sqrt(config.hidden_size);
  return traits.hasMultipliers ? (config.embedding_multiplier ?? 1) : 1;
}

/** What is done to logits after the projection. */
export function logitScaling(config: ModelConfig): { divisor: number; bound: number | null } {
  const { scalesScores, hasMultipliers } = traitsOf(config);
  return {
    divisor: hasMultipliers ? (config.logits_scaling ?? 1) : 1,
    bound: scalesScores ? (config.final_logit_softcapping ?? null) : null,
  };
}

/** ONNX Runtime's attention rotates only multiples of this many pairs. */
const pairsAtOnce = 8;

function unsupported(config: ModelConfig, traits: Traits): string | null {
  if (config.hidden_act !== traits.activation) return `uses the activation "${config.hidden_act}"`;
  if (config.attention_bias && traits.attentionBias === 'never') return 'has attention biases';
  if (config.mlp_bias && !traits.mlpBias) return 'has feed-forward biases';
  const pairs = rotaryPairs(config);
  if (pairs % pairsAtOnce !== 0)
    return `rotates ${pairs} pairs of each head, no multiple of ${pairsAtOnce}`;
  if (config.num_attention_heads % config.num_key_value_heads !== 0)
    return `has ${config.num_attention_heads} heads over ${config.num_key_value_heads} key-value heads`;
  return null;
}
