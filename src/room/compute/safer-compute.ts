/** What a device computes with after its results were wrong: a slower choice that is simpler to get right. */
import type { Backend, WeightType } from '../../engine/engine.ts';

export interface ComputeWith {
  backend: Backend;
  weights: WeightType | 'auto';
}

/** 16 bits or less give way to 32, then WebGPU to wasm; null where nothing is left to try. */
export function saferThan({
  backend,
  weights,
}: {
  backend: Backend;
  weights: WeightType;
}): ComputeWith | null {
  if (weights !== 'f32') return { backend, weights: 'f32' };
  return backend === 'webgpu' ? { backend: 'wasm', weights: 'auto' } : null;
}
