/** The keys and values of one sequence in one block, each [1, kvHeads, length, headDim]. */
import type { ModelConfig } from '../model/config.ts';
import { float32, type RunTensor, type Runtime } from './runtime.ts';

export interface KvCache {
  /**
   * The number of positions held. A run may start at any of them or after the last; later positions are
   * overwritten.
   */
  readonly length: number;
  /** The tensors to bind for a run that makes the sequence `total` positions long. */
  bind(total: number): Promise<KvBinding>;
  /** Keeps the result of a run that succeeded; null if it wrote in place. */
  keep(present: KvTensors | null, total: number): void;
  /** A new cache with the first `length` positions. */
  copy(length: number): Promise<KvCache>;
  /** Replaces the contents by `positions` zeros, to measure a long context. */
  blank(positions: number): Promise<void>;
  dispose(): void;
}

export interface KvTensors {
  key: RunTensor;
  value: RunTensor;
}

export interface KvBinding {
  past: KvTensors;
  /** The tensors that the run writes; null if it creates its own. */
  present: KvTensors | null;
}

/**
 * A KV cache in CPU memory. ONNX Runtime copies every bound tensor in and out of its own memory, so this
 * cache is exactly as long as the sequence, and each run returns the next one.
 */
export function createCpuKvCache({ ort }: Pick<Runtime, 'ort'>, config: ModelConfig): KvCache {
  const { num_key_value_heads: heads, head_dim: headDim } = config;
  const zeros = (positions: number): RunTensor =>
    float32(ort, new Float32Array(heads * positions * headDim), [1, heads, positions, headDim]);
  return cpuKvCache({ key: zeros(0), value: zeros(0), length: 0 }, zeros);
}

interface CpuContents {
  key: RunTensor;
  value: RunTensor;
  length: number;
}

function cpuKvCache(
  { key, value, length }: CpuContents,
  zeros: (positions: number) => RunTensor,
): KvCache {
  function hold(positions: number): void {
    key = zeros(positions);
    value = zeros(positions);
    length = positions;
  }

  return {
    get length() {
      return length;
    },
    bind: () => Promise.resolve({ past: { key, value }, present: null }),
    keep(present, total) {
      if (present) ({ key, value } = present);
      length = total;
    },
    // A run never writes into its input tensors, so two caches may share them.
    copy: (positions) => Promise.resolve(cpuKvCache({ key, value, length: positions }, zeros)),
    blank(positions) {
      hold(positions);
      return Promise.resolve();
    },
    dispose() {
      hold(0);
    },
  };
}
