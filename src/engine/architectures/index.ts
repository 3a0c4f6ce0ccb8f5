/** Every architecture that the engine runs. To add one, describe it in its own file and list it here. */
import type { ModelConfig } from '../../model/config.ts';
import type { Architecture } from './architecture.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';

const architectures: readonly Architecture[] = [llama, mistral, qwen2, qwen3];

/** Throws, naming what is missing, if the engine cannot run such a model. */
export function architectureFor(config: ModelConfig): Architecture {
  const found = architectures.find(({ modelType }) => modelType === config.model_type);
  if (!found)
    throw new Error(
      `the architecture "${config.model_type}" is not known here; known are ${architectures.map(({ modelType }) => modelType).join(', ')}`,
    );
  const missing = unsupported(config);
  if (missing) throw new Error(`this ${config.model_type} model ${missing}, which is missing here`);
  return found;
}

function unsupported(config: ModelConfig): string | null {
  if (config.hidden_act !== 'silu') return `uses the activation "${config.hidden_act}"`;
  if (config.attention_bias && config.model_type !== 'qwen2') return 'has attention biases';
  if (config.head_dim % 2 !== 0) return `has an odd head size (${config.head_dim})`;
  if (config.num_attention_heads % config.num_key_value_heads !== 0)
    return `has ${config.num_attention_heads} heads over ${config.num_key_value_heads} key-value heads`;
  return null;
}
