/** What an architecture has to say for itself: how one of its layers computes. */
import type { Forward } from '../forward.ts';
import type { Value } from '../onnx/graph.ts';

export interface Architecture {
  /** Its `model_type` in a Hugging Face `config.json`. */
  modelType: string;
  /** One transformer layer: hidden state in, hidden state out. */
  layer(f: Forward, x: Value): Value;
}
