/**
 * The engine's public surface: runs layers of a model on this device. It lives in a worker
 * (`worker.ts`); this file is what both sides of that boundary agree on.
 *
 * A layer is `embed`, one transformer `block`, or `head`, numbered as in the manifest: embed is 0, block
 * i is i + 1, head is last. Layers are loaded and dropped one by one; a run goes through a range of them.
 */
import type { ModelConfig } from '../model/config.ts';
import type { Dtype } from '../model/dtype.ts';

export type Backend = 'webgpu' | 'wasm';

/** What a layer computes with. What is stored and what is computed with are two things. */
export type WeightType = 'f32' | 'f16' | 'q8' | 'q4';

export interface EngineOptions {
  backend: Backend;
  config: ModelConfig;
  /** Longest context, in tokens, that a sequence's KV cache may reach. */
  contextLength: number;
  /** Threads of the wasm backend; 1 without cross-origin isolation. */
  threads: number;
  /** The ONNX Runtime WebAssembly binary for this backend, fetched (and cached) by the caller. */
  runtimeBinary: ArrayBuffer;
}

/** One tensor of a layer as it is stored: bytes in `dtype`'s layout, shape outermost first. */
export interface StoredTensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  data: Uint8Array;
  interleavedRotary?: boolean;
}

export interface LoadedLayer {
  layer: number;
  /** What it computes with: f32 where f16 was asked for and the device has no 16-bit arithmetic. */
  weights: WeightType;
  /** Bytes that the layer's weights occupy on the device once loaded. */
  memoryBytes: number;
  loadMs: number;
}

/** One pass of one sequence through loaded layers `first..last` (inclusive). */
export interface RunRequest {
  first: number;
  last: number;
  /** Which sequence's KV cache to use; created at first use. */
  sequence: number;
  /**
   * Position of the first new token in the sequence. May be smaller than the cache's length: the cache
   * is then cut back to `position` first (roll back).
   */
  position: number;
  input:
    | { kind: 'tokens'; ids: Int32Array }
    /** Activations [tokens, hidden_size], row-major. */
    | { kind: 'hidden'; tokens: number; values: Float32Array };
  /** With `head` among the layers: logits of the last `logitsOf` positions only (default 1). */
  logitsOf?: number;
}

export type RunResult = { computeMs: number } & (
  | { kind: 'hidden'; tokens: number; values: Float32Array }
  /** [positions, vocab_size], row-major. */
  | { kind: 'logits'; positions: number; values: Float32Array }
);

/** What a device measured of itself for one model, with that model's real shapes. */
export interface ComputeProfile {
  backend: Backend;
  weights: WeightType;
  /** ms for one token through one layer of each kind, weights too many for the last-level cache; no past. */
  embedMs: number;
  blockMs: number;
  headMs: number;
  /** ms more a block for each position before the token: its keys and values are read, on wasm copied too. */
  attendMs: number;
  /** ms per prompt token of one block, in chunks of `prefillChunk`. */
  prefillBlockMs: number;
  /** Largest number of new positions in one run that passed the self-check on this device. */
  prefillChunk: number;
  /** Bytes on the device of one layer of each kind with these weights. */
  embedBytes: number;
  blockBytes: number;
  headBytes: number;
}

export interface EngineInfo {
  backend: Backend;
  /** Adapter's own description where there is one, e.g. `apple m2`. */
  adapter: string;
  shaderF16: boolean;
}

export interface Engine {
  readonly info: EngineInfo;
  /**
   * Measures layers of random weights in the model's shapes and checks attention against itself at
   * growing chunk sizes. `weights: 'auto'` tries the types that suit the backend and keep at least 8 bits,
   * and takes f32 unless another is faster by what its error is worth. Waits for runs in progress.
   */
  measure(
    weights: WeightType | 'auto',
    onProgress?: (fraction: number) => void,
  ): Promise<ComputeProfile>;
  /**
   * Loads a layer from its stored tensors, in place of the one loaded before; the tensors' buffers are
   * consumed. An embedding keeps its stored type unless `weights` is smaller. Throws if a tensor is missing,
   * unknown or of the wrong shape, or if memory runs out.
   */
  loadLayer(layer: number, tensors: StoredTensor[], weights: WeightType): Promise<LoadedLayer>;
  unloadLayer(layer: number): Promise<void>;
  /** Throws if a layer of the range is not loaded, shapes do not fit, or the context is full. */
  run(request: RunRequest): Promise<RunResult>;
  /**
   * Runs of different sequences through the same layers, one token each, sharing one pass over the weights
   * where the backend gains by it. Results in the order of the requests; throws like `run`.
   *
   * `onLastLayer` is called when nothing is left to do but the last layer: work that is handed over then is
   * there when this is done, so that the device computes without a break. Not called where a run fails.
   */
  runBatch(requests: RunRequest[], onLastLayer?: () => void): Promise<RunResult[]>;
  /** Nobody reads these logits, the whole of a run's, any more: they may be overwritten or taken away. */
  giveBack(logits: Float32Array): void;
  /**
   * Has `to` begin with the first `length` positions of `from`'s KV cache in these layers. Throws if
   * `from` holds fewer.
   */
  forkSequence(
    layers: { first: number; last: number },
    from: number,
    to: number,
    length: number,
  ): Promise<void>;
  /** Forgets a sequence's KV cache in every layer. */
  releaseSequence(sequence: number): Promise<void>;
  dispose(): Promise<void>;
}
