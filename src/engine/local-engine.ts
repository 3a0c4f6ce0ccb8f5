/** The engine in the thread that calls it: loaded layers, and runs through ranges of them. */
import { blockPrefix } from '../model/architecture.ts';
import { refuseUnsupported, wrongOn } from './architectures/index.ts';
import { createAttentionSessions } from './attention-sessions.ts';
import { createEmbeddingLayer, createHeadLayer } from './edge-layers.ts';
import type { Engine, EngineOptions, StoredTensor, WeightType } from './engine.ts';
import { computedWith } from './linear.ts';
import { createBlockLayer } from './block-layer.ts';
import { measure } from './measure.ts';
import { createQueue } from './queue.ts';
import type { Layer } from './run-path.ts';
import { createLayerRunner } from './run-layers.ts';
import { createTensorSource } from './tensor-source.ts';
import type { Runtime } from './runtime.ts';

export type LocalEngineOptions = Pick<EngineOptions, 'config' | 'contextLength'>;

export function createLocalEngine(runtime: Runtime, options: LocalEngineOptions): Engine {
  const { config } = options;
  refuseUnsupported(config);
  const wrong = wrongOn(runtime.info.backend, config);
  if (wrong !== null)
    throw new Error(`this ${config.model_type} model ${wrong}: have this device compute on wasm`);
  const layers = new Map<number, Layer>();
  const attentions = createAttentionSessions(runtime, options);
  const runner = createLayerRunner(runtime, options, layers);
  // ONNX Runtime does one thing at a time, so calls wait in this queue.
  const queue = createQueue();

  async function unload(layer: number): Promise<void> {
    const loaded = layers.get(layer);
    layers.delete(layer);
    await loaded?.dispose();
  }

  async function load(layer: number, stored: StoredTensor[], weights: WeightType): Promise<Layer> {
    const head = config.num_hidden_layers + 1;
    if (!(Number.isInteger(layer) && layer >= 0 && layer <= head))
      throw new RangeError(`there is no layer ${layer}: this model's layers are 0 to ${head}`);
    await unload(layer);
    const prefix = layer === 0 || layer === head ? '' : blockPrefix(layer - 1);
    const tensors = createTensorSource(stored, prefix, config);
    const layerOptions = { ...options, runtime, weights, tensors };
    if (layer === 0) return createEmbeddingLayer(layerOptions);
    if (layer === head) return createHeadLayer(layerOptions);
    return createBlockLayer({ ...layerOptions, block: layer - 1, attentions });
  }

  return {
    info: runtime.info,
    measure: (weights, onProgress) =>
      queue(() => measure({ ...options, runtime }, weights, onProgress)),
    loadLayer: (layer, tensors, weights) =>
      queue(async () => {
        const started = performance.now();
        const computed = computedWith(runtime.info, weights);
        const loaded = await load(layer, tensors, computed);
        layers.set(layer, loaded);
        const { memoryBytes } = loaded;
        return { layer, weights: computed, memoryBytes, loadMs: performance.now() - started };
      }),
    unloadLayer: (layer) => queue(() => unload(layer)),
    run: (request) => queue(() => runner.run(request)),
    runBatch: (requests, onLastLayer) => queue(() => runner.runBatch(requests, onLastLayer)),
    giveBack: () => undefined,
    forkSequence: ({ first, last }, from, to, length) =>
      queue(async () => {
        for (const [layer, loaded] of layers)
          if (layer >= first && layer <= last && loaded.kind === 'block')
            await loaded.fork(from, to, length);
      }),
    releaseSequence: (sequence) =>
      queue(() => {
        runner.release(sequence);
        for (const layer of layers.values()) if (layer.kind === 'block') layer.release(sequence);
        return Promise.resolve();
      }),
    dispose: () =>
      queue(async () => {
        for (const layer of [...layers.keys()]) await unload(layer);
        await attentions.dispose();
        runtime.device?.destroy();
      }),
  };
}
