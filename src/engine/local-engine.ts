/** The engine in the thread that calls it: loaded rows, and runs through ranges of them. */
import { layerPrefix } from '../model/architecture.ts';
import { architectureFor, wrongOn } from './architectures/index.ts';
import { createAttentionSessions } from './attention-sessions.ts';
import { createEmbeddingRow, createHeadRow } from './edge-rows.ts';
import type { Engine, EngineOptions, StoredTensor, WeightType } from './engine.ts';
import { computedWith } from './linear.ts';
import { createLayerRow } from './layer-row.ts';
import { measure } from './measure.ts';
import { createQueue } from './queue.ts';
import type { Row } from './run-path.ts';
import { createRowRunner } from './run-rows.ts';
import { createTensorSource } from './tensor-source.ts';
import type { Runtime } from './runtime.ts';

export type LocalEngineOptions = Pick<EngineOptions, 'config' | 'contextLength'>;

export function createLocalEngine(runtime: Runtime, options: LocalEngineOptions): Engine {
  const { config } = options;
  architectureFor(config);
  const wrong = wrongOn(runtime.info.backend, config);
  if (wrong !== null)
    throw new Error(`this ${config.model_type} model ${wrong}: have this device compute on wasm`);
  const rows = new Map<number, Row>();
  const attentions = createAttentionSessions(runtime, options);
  const runner = createRowRunner(runtime, options, rows);
  // ONNX Runtime does one thing at a time; whoever asks meanwhile waits here.
  const queue = createQueue();

  async function unload(row: number): Promise<void> {
    const loaded = rows.get(row);
    rows.delete(row);
    await loaded?.dispose();
  }

  async function load(row: number, stored: StoredTensor[], weights: WeightType): Promise<Row> {
    const head = config.num_hidden_layers + 1;
    if (!(Number.isInteger(row) && row >= 0 && row <= head))
      throw new RangeError(`there is no row ${row}: this model's rows are 0 to ${head}`);
    await unload(row);
    const prefix = row === 0 || row === head ? '' : layerPrefix(row - 1);
    const tensors = createTensorSource(stored, prefix, config);
    const rowOptions = { ...options, runtime, weights, tensors };
    if (row === 0) return createEmbeddingRow(rowOptions);
    if (row === head) return createHeadRow(rowOptions);
    return createLayerRow({ ...rowOptions, layer: row - 1, attentions });
  }

  return {
    info: runtime.info,
    measure: (weights, onProgress) =>
      queue(() => measure({ ...options, runtime }, weights, onProgress)),
    loadRow: (row, tensors, weights) =>
      queue(async () => {
        const started = performance.now();
        const computed = computedWith(runtime.info, weights);
        const loaded = await load(row, tensors, computed);
        rows.set(row, loaded);
        const { memoryBytes } = loaded;
        return { row, weights: computed, memoryBytes, loadMs: performance.now() - started };
      }),
    unloadRow: (row) => queue(() => unload(row)),
    run: (request) => queue(() => runner.run(request)),
    runBatch: (requests, onLastRow) => queue(() => runner.runBatch(requests, onLastRow)),
    giveBack: () => undefined,
    forkSequence: ({ first, last }, from, to, length) =>
      queue(async () => {
        for (const [row, loaded] of rows)
          if (row >= first && row <= last && loaded.kind === 'layer')
            await loaded.fork(from, to, length);
      }),
    releaseSequence: (sequence) =>
      queue(() => {
        runner.release(sequence);
        for (const row of rows.values()) if (row.kind === 'layer') row.release(sequence);
        return Promise.resolve();
      }),
    dispose: () =>
      queue(async () => {
        for (const row of [...rows.keys()]) await unload(row);
        await attentions.dispose();
        runtime.device?.destroy();
      }),
  };
}
