/** What an architecture has to say for itself: how one of its blocks computes. */
import type { ModelConfig } from '../../model/config.ts';
import type { Forward } from '../forward.ts';
import type { Value } from '../onnx/graph.ts';

export interface Architecture {
  /** Its `model_type` in a Hugging Face `config.json`. */
  modelType: string;
  /** The activation of its feed-forward part, as `hidden_act` names it. */
  activation: 'silu' | 'gelu_pytorch_tanh';
  /** What embeddings are multiplied by, where they are. */
  embeddingScale?: (config: ModelConfig) => number;
  /** One transformer block, the `block`-th from 0: hidden state in, hidden state out. */
  block(f: Forward, x: Value, block: number): Value;
}
