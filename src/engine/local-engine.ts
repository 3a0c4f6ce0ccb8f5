/** The engine in the thread that calls it: loaded rows, and runs through ranges of them. */
import { architectureFor } from './architectures/index.ts';
import type {
  Engine,
  EngineOptions,
  RunRequest,
  RunResult,
  StoredTensor,
  WeightType,
} from './engine.ts';
import { computedWith } from './linear.ts';
import {
  createEmbeddingRow,
  createHeadRow,
  createLayerRow,
  runLayers,
  type HeadRow,
  type LayerRow,
  type Row,
} from './loaded-row.ts';
import { measure } from './measure.ts';
import { createQueue } from './queue.ts';
import { checkRequest } from './run-request.ts';
import { createTensorSource } from './tensor-source.ts';
import { float32, takeFloats, type Runtime } from './runtime.ts';

export type LocalEngineOptions = Pick<EngineOptions, 'config' | 'contextLength'>;

export function createLocalEngine(runtime: Runtime, options: LocalEngineOptions): Engine {
  const { config } = options;
  architectureFor(config);
  const rows = new Map<number, Row>();
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
    const prefix = row === 0 || row === head ? '' : `model.layers.${row - 1}.`;
    const tensors = createTensorSource(stored, prefix, config);
    const rowOptions = { ...options, runtime, weights, tensors };
    if (row === 0) return createEmbeddingRow(rowOptions);
    return row === head ? createHeadRow(rowOptions) : createLayerRow(rowOptions);
  }

  async function run(request: RunRequest): Promise<RunResult> {
    const started = performance.now();
    const tokens = checkRequest(request, options);
    const path = rowsOf(rows, request);
    const { sequence, position, input } = request;
    for (const { row, layer } of path.layers)
      if (layer.length(sequence) < position)
        throw new RangeError(
          `row ${row} holds ${layer.length(sequence)} positions of sequence ${sequence}: a run cannot start at ${position}`,
        );

    const values = input.kind === 'tokens' ? path.embed(input.ids) : input.values;
    const hidden = await runLayers(
      path.layers.map(({ layer }) => layer),
      { sequence, position, tokens },
      float32(runtime.ort, values, [1, tokens, config.hidden_size]),
    );
    if (!path.head) {
      const values = await takeFloats(hidden);
      return { kind: 'hidden', tokens, values, computeMs: performance.now() - started };
    }
    const positions = request.logitsOf ?? 1;
    const logits = await path.head.run(tokens, positions, hidden);
    return {
      kind: 'logits',
      positions,
      values: await takeFloats(logits),
      computeMs: performance.now() - started,
    };
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
    run: (request) => queue(() => run(request)),
    runBatch: (requests) =>
      queue(async () => {
        const results: RunResult[] = [];
        for (const request of requests) results.push(await run(request));
        return results;
      }),
    forkSequence: ({ first, last }, from, to, length) =>
      queue(async () => {
        for (const [row, loaded] of rows)
          if (row >= first && row <= last && loaded.kind === 'layer')
            await loaded.fork(from, to, length);
      }),
    releaseSequence: (sequence) =>
      queue(() => {
        for (const row of rows.values()) if (row.kind === 'layer') row.release(sequence);
        return Promise.resolve();
      }),
    dispose: () =>
      queue(async () => {
        for (const row of [...rows.keys()]) await unload(row);
        runtime.device?.destroy();
      }),
  };
}

interface RunPath {
  embed(ids: Int32Array): Float32Array;
  layers: { row: number; layer: LayerRow }[];
  head: HeadRow | null;
}

/** The loaded rows that a run goes through. Throws if one is missing. */
function rowsOf(rows: Map<number, Row>, { first, last }: RunRequest): RunPath {
  const path: RunPath = { embed: noEmbedding, layers: [], head: null };
  for (let row = first; row <= last; row++) {
    const loaded = rows.get(row);
    if (!loaded) {
      const those = [...rows.keys()].sort((a, b) => a - b).join(', ') || 'none';
      throw new Error(`row ${row} is not loaded on this device; loaded are: ${those}`);
    }
    switch (loaded.kind) {
      case 'embed':
        path.embed = (ids) => loaded.lookUp(ids);
        break;
      case 'layer':
        path.layers.push({ row, layer: loaded });
        break;
      case 'head':
        path.head = loaded;
    }
  }
  return path;
}

function noEmbedding(): never {
  throw new Error('token ids came, and this run does not begin at the embedding row');
}
