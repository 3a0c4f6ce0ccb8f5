/** ONNX Runtime's wasm build in Node, on one thread: for commands and tests without a browser. */
import * as ort from 'onnxruntime-web';
import { createQueue } from './queue.ts';
import type { Ort, Runtime } from './runtime.ts';

ort.env.wasm.numThreads = 1;

/** All engines of a process share one runtime, which breaks if two calls overlap. */
const inTurn = createQueue();
const oneAtATime: Ort = {
  Tensor: ort.Tensor,
  InferenceSession: {
    create: async (model: Uint8Array, options?: ort.InferenceSession.SessionOptions) => {
      const session = await inTurn(() => ort.InferenceSession.create(model, options));
      const run = session.run.bind(session);
      const runInTurn = (...args: Parameters<typeof run>): ReturnType<typeof run> =>
        inTurn(() => run(...args));
      return Object.assign(session, { run: runInTurn });
    },
  } as typeof ort.InferenceSession,
};

export const nodeRuntime: Runtime = {
  ort: oneAtATime,
  info: { backend: 'wasm', adapter: 'WebAssembly', shaderF16: false },
  device: null,
};
