/** Makes this tab ready to compute: chooses a backend, brings the runtime, measures itself. */
import { createEngine, runtimeBinaryUrl } from '../../engine/client.ts';
import { wrongOn } from '../../engine/architectures/index.ts';
import type { Backend, ComputeProfile, Engine, WeightType } from '../../engine/engine.ts';
import type { ModelConfig } from '../../model/config.ts';
import { assumedMemoryBudget } from '../../profile/memory-budget.ts';
import { assumedThreads, chooseBackend, thisPlatform } from '../../profile/this-device.ts';
import type { PieceCache } from '../../store/piece-cache.ts';
import { readRuntimeBinary } from '../../store/runtime-binary.ts';
import type { DeviceOptions } from '../room.ts';
import type { DeviceStatus } from '../view.ts';
import { median } from '../../base/median.ts';

export interface PreparedEngine {
  engine: Engine;
  compute: ComputeProfile;
  /** What one call into the engine's worker and back costs beside computing, ms. */
  callMs: number;
  budgetBytes: number;
}

export async function prepareEngine(
  options: DeviceOptions,
  model: { config: ModelConfig; contextLength: number; weights: WeightType | 'auto' },
  cache: PieceCache,
  onStatus: (status: DeviceStatus) => void,
  /** The engine can compute no more. */
  onLost: (reason: string) => void,
): Promise<PreparedEngine> {
  onStatus({ kind: 'preparing', bytesLoaded: 0, bytesTotal: 0 });
  const backend = options.backend === 'auto' ? await backendFor(model.config) : options.backend;
  const runtimeBinary = await readRuntimeBinary(
    runtimeBinaryUrl(backend),
    cache,
    (bytesLoaded, bytesTotal) => onStatus({ kind: 'preparing', bytesLoaded, bytesTotal }),
  );
  const engine = await createEngine(
    {
      backend,
      config: model.config,
      contextLength: model.contextLength,
      threads: options.threads ?? assumedThreads(),
      runtimeBinary,
    },
    onLost,
  );
  try {
    onStatus({ kind: 'measuring', fraction: 0 });
    const compute = await engine.measure(model.weights, (fraction) =>
      onStatus({ kind: 'measuring', fraction }),
    );
    const budgetBytes = options.memoryBudgetBytes ?? assumedMemoryBudget(thisPlatform(backend));
    return { engine, compute, callMs: await measureCall(engine), budgetBytes };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

/** WebGPU where a real adapter exists and computes the model rightly, else wasm. */
function backendFor(config: ModelConfig): Promise<Backend> {
  return wrongOn('webgpu', config) === null ? chooseBackend() : Promise.resolve('wasm');
}

const callsTimed = 25;

/** Median of calls that have nothing to do: an unknown sequence is released at once. */
async function measureCall(engine: Engine): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < callsTimed; call++) {
    const startedMs = performance.now();
    await engine.releaseSequence(0);
    times.push(performance.now() - startedMs);
  }
  return median(times) ?? 0;
}
