/** The page's side of the engine: starts its worker and passes calls to it without copying weights. */
import { proxy, transfer, wrap } from 'comlink';
import asyncifyBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import wasmBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import type {
  Backend,
  Engine,
  EngineOptions,
  RunRequest,
  RunResult,
  StoredTensor,
} from './engine.ts';
import type { EngineWorkerApi } from './worker.ts';
import { lastLayerNews } from './worker-news.ts';

const binaryUrl: Record<Backend, string> = { webgpu: asyncifyBinaryUrl, wasm: wasmBinaryUrl };

/** The address of the backend's ONNX Runtime binary, which the caller fetches for `EngineOptions.runtimeBinary`. */
export function runtimeBinaryUrl(backend: Backend): string {
  return new URL(binaryUrl[backend], import.meta.url).href;
}

/**
 * Starts an engine in its own worker, and transfers `options.runtimeBinary` to it.
 *
 * `onLost` is called once if the engine fails without being disposed of: a lost GPU, or a worker that ended.
 * Calls in progress are rejected too.
 */
export async function createEngine(
  options: EngineOptions,
  onLost: (reason: string) => void = () => undefined,
): Promise<Engine> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    type: 'module',
    name: 'engine',
  });
  const remote = wrap<EngineWorkerApi>(worker);
  const life = createLife(worker, onLost);
  /** For each batch in progress, its `onLastLayer`; the worker runs batches in this order. */
  const underWay: (() => void)[] = [];
  worker.addEventListener('message', ({ data }) => {
    if (data === lastLayerNews) underWay.at(0)?.();
  });
  try {
    const info = await life.unlessLost(
      remote.start(transfer(options, [options.runtimeBinary]), proxy(life.lose)),
    );
    return {
      info,
      measure: (weights, onProgress) =>
        life.unlessLost(remote.measure(weights, onProgress && proxy(onProgress))),
      loadLayer: (layer, tensors, weights) =>
        life.unlessLost(remote.loadLayer(layer, transfer(tensors, buffersOf(tensors)), weights)),
      unloadLayer: (layer) => life.unlessLost(remote.unloadLayer(layer)),
      run: (request) => life.unlessLost<RunResult>(remote.run(trimmed(request))),
      async runBatch(requests, onLastLayer = () => undefined) {
        underWay.push(onLastLayer);
        try {
          return await life.unlessLost(remote.runBatch(requests.map(trimmed)));
        } finally {
          underWay.splice(underWay.indexOf(onLastLayer), 1);
        }
      },
      giveBack({ buffer }) {
        if (buffer instanceof ArrayBuffer) worker.postMessage(buffer, [buffer]);
      },
      forkSequence: (...fork) => life.unlessLost(remote.forkSequence(...fork)),
      releaseSequence: (sequence) => life.unlessLost(remote.releaseSequence(sequence)),
      // A worker that is computing would answer late, and only its end returns its memory.
      dispose() {
        life.end();
        return Promise.resolve();
      },
    };
  } catch (error) {
    life.end();
    throw error;
  }
}

interface Life {
  /** The call's result; it rejects as soon as the worker is lost. */
  unlessLost<Result>(call: Promise<Result>): Promise<Result>;
  lose: (reason: string) => void;
  end: () => void;
}

function createLife(worker: Worker, onLost: (reason: string) => void): Life {
  let ended: Error | null = null;
  const waiting = new Set<(error: Error) => void>();

  function end(reason: string): void {
    ended = new Error(reason);
    worker.terminate();
    for (const refuse of waiting) refuse(ended);
    waiting.clear();
  }
  function lose(reason: string): void {
    if (ended) return;
    end(reason);
    onLost(reason);
  }
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    lose(`the engine's worker ended: ${event.message || 'it could not be loaded'}`);
  });
  return {
    async unlessLost(call) {
      if (ended) throw ended;
      // Promise.race would keep every call's result alive as long as the worker lives.
      let refuse: (error: Error) => void = () => undefined;
      try {
        return await new Promise((resolve, reject) => {
          refuse = reject;
          waiting.add(refuse);
          call.then(resolve, reject);
        });
      } finally {
        waiting.delete(refuse);
      }
    },
    lose,
    end() {
      if (!ended) end('the engine has been disposed of');
    },
  };
}

function buffersOf(tensors: StoredTensor[]): ArrayBufferLike[] {
  return [...new Set(tensors.map((tensor) => tensor.data.buffer))];
}

/** Posting a view copies its whole buffer, so this copies the viewed part first. */
function trimmed(request: RunRequest): RunRequest {
  const { input } = request;
  if (input.kind === 'tokens') return { ...request, input: { ...input, ids: input.ids.slice() } };
  return input.values.byteLength === input.values.buffer.byteLength
    ? request
    : { ...request, input: { ...input, values: input.values.slice() } };
}
