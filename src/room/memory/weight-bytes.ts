import type { Backend, WeightType } from '../../engine/engine.ts';

/** Bytes of one weight of a projection as each backend holds it, the scales of its block included. */
export const weightBytes: Record<Backend, Record<WeightType, number>> = {
  wasm: { f32: 4, f16: 4, q8: 1, q4: 0.625 },
  webgpu: { f32: 4, f16: 2, q8: 1.125, q4: 0.625 },
};
