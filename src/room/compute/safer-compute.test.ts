import { expect, it } from 'vitest';
import { saferThan } from './safer-compute.ts';

it('gives up 16 bits, then WebGPU, then everything', () => {
  expect(saferThan({ backend: 'webgpu', weights: 'f16' })).toEqual({
    backend: 'webgpu',
    weights: 'f32',
  });
  expect(saferThan({ backend: 'webgpu', weights: 'f32' })).toEqual({
    backend: 'wasm',
    weights: 'auto',
  });
  expect(saferThan({ backend: 'wasm', weights: 'q8' })).toEqual({
    backend: 'wasm',
    weights: 'f32',
  });
  expect(saferThan({ backend: 'wasm', weights: 'f32' })).toBeNull();
});
