/** Runs through ranges of loaded rows: one by one, or several sequences sharing the way. */
import type { EmbeddingRow, HeadRow } from './edge-rows.ts';
import type { RunRequest, RunResult } from './engine.ts';
import { runLayers, type LayerRow, type Positions } from './layer-row.ts';
import { checkRequest, type RunLimits } from './run-request.ts';
import { float32, takeFloats, type RunTensor, type Runtime } from './runtime.ts';

export type Row = EmbeddingRow | LayerRow | HeadRow;

export interface RowRunner {
  run(request: RunRequest): Promise<RunResult>;
  runBatch(requests: RunRequest[]): Promise<RunResult[]>;
}

/** More at once gain little, and each number of them takes an attention session of its own. */
const largestBatch = 16;

export function createRowRunner(
  runtime: Runtime,
  limits: RunLimits,
  rows: ReadonlyMap<number, Row>,
): RowRunner {
  const { hidden_size: width } = limits.config;

  async function run(request: RunRequest): Promise<RunResult> {
    const started = performance.now();
    const { path, at } = checked(request);
    const { tokens } = at;
    const input = float32(runtime.ort, inputOf(path, request), [1, tokens, width]);
    const hidden = await runLayers(path.layers, at, input);
    const positions = request.logitsOf ?? 1;
    const values = await takeFloats(
      path.head ? await path.head.run(tokens, positions, hidden) : hidden,
    );
    const computeMs = performance.now() - started;
    return path.head
      ? { kind: 'logits', positions, values, computeMs }
      : { kind: 'hidden', tokens, values, computeMs };
  }

  async function runTogether(requests: RunRequest[]): Promise<RunResult[]> {
    const started = performance.now();
    const all = requests.map(checked);
    const [{ path }] = all;
    const stacked = new Float32Array(requests.length * width);
    requests.forEach((request, index) => stacked.set(inputOf(path, request), index * width));
    let hidden: RunTensor = float32(runtime.ort, stacked, [1, requests.length, width]);
    const positions = all.map(({ at }) => at);
    for (const { runTogether } of path.layers) {
      if (!runTogether) throw new Error('rows that gain nothing together were asked to run so');
      hidden = await runTogether(positions, hidden);
    }
    const values = await takeFloats(
      path.head ? await path.head.run(requests.length, requests.length, hidden) : hidden,
    );
    const computeMs = performance.now() - started;
    const each = values.length / requests.length;
    return requests.map((_, index): RunResult => {
      const own = values.slice(index * each, (index + 1) * each);
      return path.head
        ? { kind: 'logits', positions: 1, values: own, computeMs }
        : { kind: 'hidden', tokens: 1, values: own, computeMs };
    });
  }

  function checked(request: RunRequest): { path: RunPath; at: Positions } {
    const tokens = checkRequest(request, limits);
    const path = pathThrough(rows, request);
    const { sequence, position } = request;
    path.layers.forEach((layer, index) => {
      if (layer.length(sequence) < position)
        throw new RangeError(
          `row ${path.firstLayer + index} holds ${layer.length(sequence)} positions of sequence ${sequence}: a run cannot start at ${position}`,
        );
    });
    return { path, at: { sequence, position, tokens } };
  }

  return {
    run,
    async runBatch(requests) {
      const results: RunResult[] = [];
      for (const group of groupsOf(requests, rows))
        if (group.length > 1)
          (await runTogether(group.map((index) => requests[index]))).forEach(
            (result, place) => (results[group[place]] = result),
          );
        else results[group[0]] = await run(requests[group[0]]);
      return results;
    },
  };
}

interface RunPath {
  embed(ids: Int32Array): Float32Array;
  firstLayer: number;
  layers: LayerRow[];
  head: HeadRow | null;
}

/** The loaded rows that a run goes through. Throws if one is missing. */
function pathThrough(rows: ReadonlyMap<number, Row>, { first, last }: RunRequest): RunPath {
  const firstLayer = Math.max(first, 1);
  const path: RunPath = { embed: noEmbedding, firstLayer, layers: [], head: null };
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
        path.layers.push(loaded);
        break;
      case 'head':
        path.head = loaded;
    }
  }
  return path;
}

function inputOf(path: RunPath, { input }: RunRequest): Float32Array {
  return input.kind === 'tokens' ? path.embed(input.ids) : input.values;
}

function noEmbedding(): never {
  throw new Error('token ids came, and this run does not begin at the embedding row');
}

/** Places of the requests that run together, in groups; each alone if a sequence comes twice. */
function groupsOf(requests: RunRequest[], rows: ReadonlyMap<number, Row>): number[][] {
  const inOrder = new Set(requests.map(({ sequence }) => sequence)).size < requests.length;
  const groups: number[][] = [];
  const open = new Map<string, number[]>();
  requests.forEach((request, place) => {
    const way = `${request.first}-${request.last}`;
    const group = open.get(way);
    if (inOrder || !mayShare(request, rows)) groups.push([place]);
    else if (group && group.length < largestBatch) group.push(place);
    else {
      const opened = [place];
      open.set(way, opened);
      groups.push(opened);
    }
  });
  return groups;
}

/** One new position, through layers that gain by company. */
function mayShare(
  { input, first, last, logitsOf = 1 }: RunRequest,
  rows: ReadonlyMap<number, Row>,
): boolean {
  if ((input.kind === 'tokens' ? input.ids.length : input.tokens) !== 1 || logitsOf !== 1)
    return false;
  for (let row = first; row <= last; row++) {
    const loaded = rows.get(row);
    if (loaded?.kind === 'layer' && !loaded.runTogether) return false;
  }
  return true;
}
