/** What defines an architecture: how one of its transformer blocks computes. */
import type { ModelConfig } from '../../model/config.ts';
import type { Forward } from '../forward.ts';
import type { Value } from '../onnx/graph.ts';

export interface Architecture {
  /** Its `model_type` in a Hugging Face `config.json`. */
  modelType: string;
  /** The activation of its feed-forward part, as `hidden_act` names it. */
  activation: 'silu' | 'gelu_pytorch_tanh';
  /** The factor of embeddings, if the architecture has one. */
  embeddingScale?: (config: ModelConfig) => number;
  /** One transformer block, from hidden state to hidden state. `block` is its number from 0, as in tensor names. */
  block(f: Forward, x: Value, block: number): Value;
}
