/** The engine's worker: ONNX Runtime runs here, off the page's thread. */
import { expose, transfer } from 'comlink';
import type { Engine, EngineOptions, RunRequest, RunResult } from './engine.ts';
import { loadRuntime } from './load-runtime.ts';
import { createLocalEngine } from './local-engine.ts';
import { createSpareLogits } from './spare-logits.ts';
import { lastLayerNews } from './worker-news.ts';

let engine: Engine | undefined;
const spareLogits = createSpareLogits();

function started(): Engine {
  if (!engine) throw new Error('the engine has not been started yet');
  return engine;
}

const api = {
  async start(options: EngineOptions, onLost: (reason: string) => void): Promise<Engine['info']> {
    const runtime = await loadRuntime(options);
    engine = createLocalEngine(runtime, options);
    void runtime.device?.lost.then(({ reason, message }) => {
      if (reason !== 'destroyed') onLost(`the GPU was lost: ${message}`);
    });
    return runtime.info;
  },
  measure: (...args: Parameters<Engine['measure']>) => started().measure(...args),
  loadLayer: (...args: Parameters<Engine['loadLayer']>) => started().loadLayer(...args),
  unloadLayer: (layer: number) => started().unloadLayer(layer),
  async run(...args: Parameters<Engine['run']>): Promise<RunResult> {
    const result = spareLogits.place(await started().run(...args));
    return transfer(result, [result.values.buffer]);
  },
  async runBatch(requests: RunRequest[]): Promise<RunResult[]> {
    const done = await started().runBatch(requests, () => postMessage(lastLayerNews));
    const results = done.map((result) => spareLogits.place(result));
    return transfer(
      results,
      results.map(({ values }) => values.buffer),
    );
  },
  forkSequence: (...args: Parameters<Engine['forkSequence']>) => started().forkSequence(...args),
  releaseSequence: (sequence: number) => started().releaseSequence(sequence),
};

export type EngineWorkerApi = typeof api;

// The only messages that are not calls are returned logits.
addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  if (data instanceof ArrayBuffer) spareLogits.add(data);
});
expose(api);
