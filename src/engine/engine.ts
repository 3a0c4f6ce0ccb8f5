/**
 * The engine's public surface: it runs layers of a model on this device. The engine lives in a worker
 * (`worker.ts`), and both sides of that boundary use this file.
 *
 * The embedding is layer 0, transformer block k (from 1) is layer k, and the head is the last layer. Layers
 * are loaded and unloaded one by one; a run goes through a range of them.
 */
import type { ModelConfig } from '../model/config.ts';
import type { Dtype } from '../model/numbers/dtype.ts';

export type Backend = 'webgpu' | 'wasm';

/** The type that a layer computes with; its tensors may be stored in another. */
export type WeightType = 'f32' | 'f16' | 'q8' | 'q4';

export interface EngineOptions {
  backend: Backend;
  config: ModelConfig;
  /** The most tokens that a sequence's KV cache may hold. */
  contextLength: number;
  /** Threads of the wasm backend; 1 without cross-origin isolation. */
  threads: number;
  /** The ONNX Runtime WebAssembly binary for this backend, fetched (and cached) by the caller. */
  runtimeBinary: ArrayBuffer;
}

/** One tensor of a layer as it is stored: bytes in the layout of `dtype`, outermost dimension first. */
export interface StoredTensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  data: Uint8Array;
  interleavedRotary?: boolean;
}

export interface LoadedLayer {
  layer: number;
  /** The type it computes with: f32 if f16 was asked for and the device has no 16-bit arithmetic. */
  weights: WeightType;
  /** Bytes of the layer's weights on the device. */
  memoryBytes: number;
  loadMs: number;
}

/** One pass of one sequence through loaded layers `first..last` (inclusive). */
export interface RunRequest {
  first: number;
  last: number;
  /** The sequence whose KV cache is used; it is created at first use. */
  sequence: number;
  /**
   * Position of the first new token in the sequence. If the cache is longer, it is first cut back to
   * `position` (roll back).
   */
  position: number;
  input:
    | { kind: 'tokens'; ids: Int32Array }
    /** Activations [tokens, hidden_size], row-major. */
    | { kind: 'hidden'; tokens: number; values: Float32Array };
  /** If the head is in the range: logits of the last `logitsOf` positions only (default 1). */
  logitsOf?: number;
}

export type RunResult = { computeMs: number } & (
  | { kind: 'hidden'; tokens: number; values: Float32Array }
  /** [positions, vocab_size], row-major. */
  | { kind: 'logits'; positions: number; values: Float32Array }
);

/** A device's own measurements for one model, made with that model's real shapes. */
export interface ComputeProfile {
  backend: Backend;
  weights: WeightType;
  /** ms for one token through one layer of each kind, without a past. The weights do not fit the last-level cache. */
  embedMs: number;
  blockMs: number;
  headMs: number;
  /** ms that each earlier position adds to one block: its keys and values are read, and on wasm also copied. */
  attendMs: number;
  /** ms per prompt token through one block, in chunks of `prefillChunk`. */
  prefillBlockMs: number;
  /** The number of new positions for one run, of those that passed the self-check on this device. */
  prefillChunk: number;
  /** Bytes of one layer of each kind on the device, with these weights. */
  embedBytes: number;
  blockBytes: number;
  headBytes: number;
}

export interface EngineInfo {
  backend: Backend;
  /** The adapter's own description, if it has one, such as `apple m2`. */
  adapter: string;
  shaderF16: boolean;
}

export interface Engine {
  readonly info: EngineInfo;
  /**
   * Measures layers of random weights in the model's shapes, and checks attention at growing chunk sizes.
   * `weights: 'auto'` tries types of at least 8 bits that suit the backend. It takes f32 unless another is
   * fast enough to make up for its error. Waits for runs in progress.
   */
  measure(
    weights: WeightType | 'auto',
    onProgress?: (fraction: number) => void,
  ): Promise<ComputeProfile>;
  /**
   * Loads a layer from its stored tensors, in place of an earlier one, and takes over the tensors' buffers.
   * An embedding keeps its stored type unless `weights` is smaller. Throws if a tensor is missing, unknown or
   * of the wrong shape, or if memory runs out.
   */
  loadLayer(layer: number, tensors: StoredTensor[], weights: WeightType): Promise<LoadedLayer>;
  unloadLayer(layer: number): Promise<void>;
  /** Throws if a layer of the range is not loaded, shapes do not fit, or the context is full. */
  run(request: RunRequest): Promise<RunResult>;
  /**
   * Runs different sequences through the same layers, one token each. They share one pass over the weights if
   * the backend gains by it. Results come in the order of the requests; throws like `run`.
   *
   * `onLastLayer` is called when only the last layer is left to compute. Work handed over then arrives in
   * time, so the device computes without a break. It is not called if a run fails.
   */
  runBatch(requests: RunRequest[], onLastLayer?: () => void): Promise<RunResult[]>;
  /** Gives back the logits of a whole run, which nobody reads any more: they may be overwritten or taken away. */
  giveBack(logits: Float32Array): void;
  /**
   * Copies the first `length` positions of `from`'s KV cache in these layers to the start of `to`. Throws if
   * `from` has fewer.
   */
  forkSequence(
    layers: { first: number; last: number },
    from: number,
    to: number,
    length: number,
  ): Promise<void>;
  /** Releases a sequence's KV cache in every layer. */
  releaseSequence(sequence: number): Promise<void>;
  dispose(): Promise<void>;
}
