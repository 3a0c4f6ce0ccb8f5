/** Every architecture that the engine runs. To add one, describe it in its own file and list it here. */
import type { ModelConfig } from '../../model/config.ts';
import { rotaryPairs } from '../../model/rotary/rotary-frequencies.ts';
import type { Backend } from '../engine.ts';
import type { Architecture } from './architecture.ts';
import { gemma2 } from './gemma2.ts';
import { gemma3 } from './gemma3.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';

const architectures: readonly Architecture[] = [llama, mistral, qwen2, qwen3, gemma2, gemma3];

/**
 * Why a backend would compute such a model wrongly, as the end of a sentence; null if it would not. ONNX
 * Runtime's attention on WebGPU (1.30) accepts `softcap` but ignores it.
 */
export function wrongOn(backend: Backend, config: ModelConfig): string | null {
  return backend === 'webgpu' && config.attn_logit_softcapping
    ? 'bounds its attention scores, which ONNX Runtime does not do on WebGPU'
    : null;
}

/** @throws Error that names what the engine lacks for such a model */
export function architectureFor(config: ModelConfig): Architecture {
  const found = architectures.find(({ modelType }) => modelType === config.model_type);
  if (!found)
    throw new Error(
      `the architecture "${config.model_type}" is not known here; known are ${architectures.map(({ modelType }) => modelType).join(', ')}`,
    );
  const missing = unsupported(config, found);
  if (missing) throw new Error(`this ${config.model_type} model ${missing}, which is missing here`);
  return found;
}

/** ONNX Runtime's attention rotates only multiples of this many pairs. */
const pairsAtOnce = 8;

function unsupported(config: ModelConfig, { modelType, activation }: Architecture): string | null {
  if (config.hidden_act !== activation) return `uses the activation "${config.hidden_act}"`;
  if (config.attention_bias && !['llama', 'qwen2'].includes(modelType))
    return 'has attention biases';
  if (config.mlp_bias && modelType !== 'llama') return 'has feed-forward biases';
  const pairs = rotaryPairs(config);
  if (pairs % pairsAtOnce !== 0)
    return `rotates ${pairs} pairs of each head, no multiple of ${pairsAtOnce}`;
  if (config.num_attention_heads % config.num_key_value_heads !== 0)
    return `has ${config.num_attention_heads} heads over ${config.num_key_value_heads} key-value heads`;
  return null;
}
