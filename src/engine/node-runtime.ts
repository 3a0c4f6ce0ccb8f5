/** ONNX Runtime's wasm build in Node, on one thread: for commands and tests, which have no browser. */
import * as ort from 'onnxruntime-web';
import type { Runtime } from './runtime.ts';

ort.env.wasm.numThreads = 1;

export const nodeRuntime: Runtime = {
  ort,
  info: { backend: 'wasm', adapter: 'WebAssembly', shaderF16: false },
  device: null,
};
