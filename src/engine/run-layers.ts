/** Runs sequences through ranges of loaded layers, one by one or several together. */
import { createBatchCheck } from './batch-check.ts';
import { createBatchSlots } from './batch-slots.ts';
import type { RunRequest, RunResult } from './engine.ts';
import type { Positions } from './block-layer.ts';
import { NotCached } from './not-cached.ts';
import {
  pathThrough,
  throughLayers,
  unheard,
  type LastLayer,
  type Layer,
  type RunPath,
} from './run-path.ts';
import { checkRequest, type RunLimits } from './run-request.ts';
import { float32, takeFloats, type Runtime } from './runtime.ts';

export interface LayerRunner {
  run(request: RunRequest): Promise<RunResult>;
  runBatch(requests: RunRequest[], onLastLayer?: () => void): Promise<RunResult[]>;
  release(sequence: number): void;
}

/** More sequences at once gain little, and each batch size needs its own attention session. */
const largestBatch = 16;

export function createLayerRunner(
  runtime: Runtime,
  limits: RunLimits,
  layers: ReadonlyMap<number, Layer>,
): LayerRunner {
  const { hidden_size: width } = limits.config;
  /** On a GPU sequences keep their slot in a batch; elsewhere they take any order. */
  const slots = runtime.device ? createBatchSlots() : null;
  const check = runtime.device ? createBatchCheck() : null;

  async function run(request: RunRequest, onLastLayer: LastLayer): Promise<RunResult> {
    const started = performance.now();
    const { path, at } = checked(request);
    const { tokens } = at;
    const input = float32(runtime.ort, inputOf(path, request), [1, tokens, width]);
    const positions = request.logitsOf ?? 1;
    const result = await throughLayers(path, input, onLastLayer, {
      block: (block, hidden) => block.run(at, hidden),
      head: (head, hidden) => head.run(tokens, positions, hidden),
    });
    const values = await takeFloats(result);
    const computeMs = performance.now() - started;
    return path.head
      ? { kind: 'logits', positions, values, computeMs }
      : { kind: 'hidden', tokens, values, computeMs };
  }

  async function runTogether(
    requests: RunRequest[],
    places: number[],
    onLastLayer: LastLayer,
  ): Promise<RunResult[]> {
    const started = performance.now();
    const all = requests.map(checked);
    const [{ path }] = all;
    const count = Math.max(...places) + 1;
    const stacked = new Float32Array(count * width);
    const at = new Array<Positions | null>(count).fill(null);
    for (const [index, place] of places.entries()) {
      stacked.set(inputOf(path, requests[index]), place * width);
      at[place] = all[index].at;
    }
    const input = float32(runtime.ort, stacked, [count, 1, width]);
    const result = await throughLayers(path, input, onLastLayer, {
      block: (block, hidden) => block.runTogether(at, hidden),
      head: (head, hidden) => head.run(1, 1, hidden),
    });
    const values = await takeFloats(result);
    const computeMs = performance.now() - started;
    const each = values.length / count;
    return places.map((place): RunResult => {
      const own = values.slice(place * each, (place + 1) * each);
      return path.head
        ? { kind: 'logits', positions: 1, values: own, computeMs }
        : { kind: 'hidden', tokens: 1, values: own, computeMs };
    });
  }

  async function runOneByOne(requests: RunRequest[], onLastLayer: LastLayer): Promise<RunResult[]> {
    const results: RunResult[] = [];
    for (const [index, request] of requests.entries())
      results.push(await run(request, index === requests.length - 1 ? onLastLayer : unheard));
    return results;
  }

  /** A single request runs alone, unless its sequence has a slot. */
  async function runGroup(requests: RunRequest[], onLastLayer: LastLayer): Promise<RunResult[]> {
    const [first] = requests;
    if (requests.length === 1 && !(isStep(first) && slots?.has(first.sequence))) {
      slots?.release(first.sequence);
      return runOneByOne(requests, onLastLayer);
    }
    if (!slots || !check) return runTogether(requests, [...requests.keys()], onLastLayer);
    const places = slots.arrange(requests.map(({ sequence }) => sequence));
    return check.run(
      Math.max(...places) + 1,
      () => runTogether(requests, places, onLastLayer),
      () => runOneByOne(requests, unheard),
    );
  }

  function checked(request: RunRequest): { path: RunPath; at: Positions } {
    const tokens = checkRequest(request, limits);
    const path = pathThrough(layers, request);
    const { sequence, position } = request;
    path.blocks.forEach((block, index) => {
      if (block.length(sequence) < position)
        throw new NotCached(
          `layer ${path.firstBlock + index} holds ${block.length(sequence)} positions of sequence ${sequence}: a run cannot start at ${position}`,
        );
    });
    return { path, at: { sequence, position, tokens } };
  }

  return {
    run: async (request) => (await runGroup([request], unheard))[0],
    async runBatch(requests, onLastLayer = unheard) {
      const results: RunResult[] = [];
      const groups = groupsOf(requests);
      for (const [index, group] of groups.entries()) {
        const hear = index === groups.length - 1 ? onLastLayer : unheard;
        const together = group.map((place) => requests[place]);
        const done = await runGroup(together, hear);
        done.forEach((result, place) => (results[group[place]] = result));
      }
      return results;
    },
    release: (sequence) => slots?.release(sequence),
  };
}

function inputOf(path: RunPath, { input }: RunRequest): Float32Array {
  return input.kind === 'tokens' ? path.embed(input.ids) : input.values;
}

/** Groups of requests that run together, as indices; each request alone if a sequence comes twice. */
function groupsOf(requests: RunRequest[]): number[][] {
  const inOrder = new Set(requests.map(({ sequence }) => sequence)).size < requests.length;
  const groups: number[][] = [];
  const open = new Map<string, number[]>();
  requests.forEach((request, place) => {
    const way = `${request.first}-${request.last}`;
    const group = open.get(way);
    if (inOrder || !isStep(request)) groups.push([place]);
    else if (group && group.length < largestBatch) group.push(place);
    else {
      const opened = [place];
      open.set(way, opened);
      groups.push(opened);
    }
  });
  return groups;
}

/** Whether a request has one new position, and its logits if any. */
function isStep({ input, logitsOf = 1 }: RunRequest): boolean {
  return (input.kind === 'tokens' ? input.ids.length : input.tokens) === 1 && logitsOf === 1;
}
