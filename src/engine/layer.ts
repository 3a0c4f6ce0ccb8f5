/** What all layers share: their options, and how their weights reach the device. */
import type { ModelConfig } from '../model/config.ts';
import type { WeightType } from './engine.ts';
import type { ComposedGraph } from './onnx/graph.ts';
import { withMemory } from './out-of-memory.ts';
import { createSession, type Runtime, type Session } from './runtime.ts';
import type { TensorSource } from './tensor-source.ts';

export interface LayerOptions {
  runtime: Runtime;
  config: ModelConfig;
  contextLength: number;
  weights: WeightType;
  tensors: TensorSource;
}

export function openSession(
  runtime: Runtime,
  graph: ComposedGraph,
  memoryBytes: number,
  gpuOutputs: string[],
): Promise<Session> {
  return withMemory(runtime.device, "a layer's weights", memoryBytes, () =>
    createSession(runtime, graph, gpuOutputs),
  );
}
