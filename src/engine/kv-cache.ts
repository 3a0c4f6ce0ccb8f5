/** The keys and values of one sequence in one block, each [1, kvHeads, length, headDim]. */
import type { ModelConfig } from '../model/config.ts';
import { float32, type RunTensor, type Runtime } from './runtime.ts';

export interface KvCache {
  /** Positions held. A run may start at any position up to here; what lies beyond is overwritten. */
  readonly length: number;
  /** What to bind for a run that makes the sequence `total` positions long. */
  bind(total: number): Promise<KvBinding>;
  /** Takes over what a run left, once it has succeeded; null where it wrote in place. */
  keep(present: KvTensors | null, total: number): void;
  /** A cache of its own that holds the first `length` positions. */
  copy(length: number): Promise<KvCache>;
  /** Holds `positions` zeros from now on, as a measurement of a long context needs them. */
  blank(positions: number): Promise<void>;
  dispose(): void;
}

export interface KvTensors {
  key: RunTensor;
  value: RunTensor;
}

export interface KvBinding {
  past: KvTensors;
  /** Where the run is to write; null where it makes tensors of its own. */
  present: KvTensors | null;
}

/**
 * ONNX Runtime copies every tensor bound on the CPU in and out of its own memory, so this cache is just
 * as long as the sequence, and each run returns the next one.
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
    // A run never writes into the tensors it was given: two caches may hold the same ones.
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
