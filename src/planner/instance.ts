/**
 * A problem in the form that solvers compute with: numbers in arrays, and equal devices grouped into one
 * kind, so that no solver makes the same choice twice.
 *
 * All three objectives use it. A request of P prompt tokens and G generated tokens is the latency problem
 * with layer times P·prefill + (G−1)·decode: the prompt's lap yields the first token, and each later token
 * takes one lap.
 */
import { memberIds, type Device, type Link, type Problem } from './problem.ts';
import { formatBytes } from './words.ts';
import type { Objective } from './plan.ts';

export interface Kind {
  /** Indices into `Instance.devices`. */
  members: number[];
  memoryBytes: number;
  /** Ms for each layer. */
  layerMs: Float64Array;
  /** 1 for each layer that the members have loaded. */
  loaded: Uint8Array;
}

export interface SharedMemory {
  layers: number[];
  memoryBytes: number;
}

export interface Instance {
  layerCount: number;
  layerNames: string[];
  /** Weights and KV cache of each layer. */
  layerMemoryBytes: Float64Array;
  /** Bytes of weights, which a device must load. */
  layerWeightBytes: Float64Array;
  /** Bytes sent over a link if the next layer is elsewhere; the last entry is what returns to the source. */
  crossingBytes: Float64Array;
  shared: SharedMemory[];
  kinds: Kind[];
  devices: { id: string; kind: number }[];
  /** Index into `devices`; its kind has no other member. */
  source: number;
  sourceKind: number;
  /** Fixed ms of a message between members of two kinds, at [from * kinds.length + to]; infinite without a link. */
  fixedMs: Float64Array;
  msPerByte: Float64Array;
  pinFirst: number;
  /** The first of the last layers, which are pinned to the source. */
  pinLastFrom: number;
}

export interface InstanceOptions {
  objective: Objective;
  /** Tokens that share a trip. */
  batch: number;
  /** The latency of links to plan with. */
  percentile: 'p50' | 'p90';
  request: { prompt: number; generate: number };
}

export function buildInstance(problem: Problem, options: InstanceOptions): Instance {
  const { layers, devices: entries } = problem;
  const kindOfEntry = gatherKinds(problem);
  const kindCount = Math.max(...kindOfEntry) + 1;
  const kinds: (Kind | undefined)[] = [];
  const devices: Instance['devices'] = [];
  for (const [index, entry] of entries.entries()) {
    const kind = kindOfEntry[index];
    const members = (kinds[kind] ??= buildKind(entry, layers.length, options)).members;
    for (const id of memberIds(entry)) {
      members.push(devices.length);
      devices.push({ id, kind });
    }
  }

  const laps = options.objective === 'request' ? options.request.generate : 1;
  const fixedMs = new Float64Array(kindCount * kindCount).fill(Infinity);
  const msPerByte = new Float64Array(kindCount * kindCount);
  const kindOfId = new Map(entries.map(({ id }, index) => [id, kindOfEntry[index]]));
  for (const link of problem.links) {
    const at = (kindOfId.get(link.from) ?? 0) * kindCount + (kindOfId.get(link.to) ?? 0);
    fixedMs[at] = laps * fixedMsOf(link, options.percentile);
    msPerByte[at] = 8 / (link.mbps * 1000);
  }

  const kvBytes =
    (problem.kvBytesPerToken ?? 0) * (problem.context ?? 1) * (problem.sequences ?? 1);
  const source = devices.findIndex(({ id }) => id === problem.source);
  return {
    layerCount: layers.length,
    layerNames: layers.map(({ name }) => name),
    layerMemoryBytes: Float64Array.from(
      layers,
      (layer) => layer.memoryBytes + (isBlock(layer) ? kvBytes : 0),
    ),
    layerWeightBytes: Float64Array.from(layers, (layer) => layer.memoryBytes),
    crossingBytes: Float64Array.from(layers, ({ outputBytes }, index) =>
      crossingBytes(outputBytes, index === layers.length - 1, options),
    ),
    shared: problem.shared ?? [],
    kinds: kinds.filter((kind) => kind !== undefined),
    devices,
    source,
    sourceKind: devices[source].kind,
    fixedMs,
    msPerByte,
    pinFirst: problem.pin.first,
    pinLastFrom: layers.length - problem.pin.last,
  };
}

function buildKind(entry: Device, layerCount: number, options: InstanceOptions): Kind {
  const decodeMs = batchLayerMs(entry, options.batch);
  const { prompt, generate } = options.request;
  const prefillMs = entry.prefillLayerMs ?? entry.layerMs;
  const loaded = new Uint8Array(layerCount);
  for (const layer of entry.loaded ?? []) loaded[layer] = 1;
  return {
    members: [],
    memoryBytes: entry.memoryBytes,
    layerMs:
      options.objective === 'request'
        ? decodeMs.map(
            (ms, layer) => prompt * options.batch * prefillMs[layer] + (generate - 1) * ms,
          )
        : decodeMs,
    loaded,
  };
}

/**
 * Layer times for a micro-batch: linear between measured sizes. Beyond the largest they are in proportion,
 * because a busy device gains nothing more from a larger batch.
 */
function batchLayerMs(entry: Device, batch: number): Float64Array {
  const measured = [
    { size: 1, layerMs: entry.layerMs },
    ...Object.entries(entry.layerMsByBatch ?? {}).map(([size, layerMs]) => ({
      size: Number(size),
      layerMs,
    })),
  ].sort((a, b) => a.size - b.size);
  const above = measured.find(({ size }) => size >= batch);
  const below = measured.findLast(({ size }) => size <= batch) ?? {
    size: 1,
    layerMs: entry.layerMs,
  };
  if (above === undefined)
    return Float64Array.from(below.layerMs, (ms) => (ms * batch) / below.size);
  const share = above.size === below.size ? 0 : (batch - below.size) / (above.size - below.size);
  return Float64Array.from(below.layerMs, (ms, layer) => ms + share * (above.layerMs[layer] - ms));
}

function fixedMsOf(link: Link, percentile: 'p50' | 'p90'): number {
  const latencyMs = percentile === 'p90' ? (link.p90LatencyMs ?? link.latencyMs) : link.latencyMs;
  return latencyMs + (link.hopMs ?? 0);
}

/** In a request, every prompt position is sent once, and so is every generated token but the last. */
function crossingBytes(outputBytes: number, returns: boolean, options: InstanceOptions): number {
  const bytes = outputBytes * options.batch;
  if (options.objective !== 'request') return bytes;
  const { prompt, generate } = options.request;
  return bytes * (returns ? generate : prompt + generate - 1);
}

function isBlock(layer: Problem['layers'][number]): boolean {
  if (layer.kind !== undefined) return layer.kind === 'block';
  return layer.name !== 'embed' && layer.name !== 'head';
}

/** The number of each entry's kind. Entries of one kind can be exchanged in any plan. */
function gatherKinds({ devices, links, source }: Problem): number[] {
  const linkWords = new Map<string, string>();
  const key = (from: number, to: number) => `${from} ${to}`;
  const entryOfId = new Map(devices.map(({ id }, index) => [id, index]));
  for (const { from, to, ...rest } of links)
    linkWords.set(
      key(entryOfId.get(from) ?? 0, entryOfId.get(to) ?? 0),
      JSON.stringify([rest.latencyMs, rest.mbps, rest.p90LatencyMs, rest.hopMs]),
    );
  const linkOf = (from: number, to: number) => linkWords.get(key(from, to)) ?? '';

  /** The first entry of each kind; entries that equal it equal all of its kind. */
  const representatives: { entry: number; profile: string; inside: string | null }[] = [];
  return devices.map(({ id, count, ...rest }, entry) => {
    const profile = JSON.stringify([
      rest.memoryBytes,
      rest.layerMs,
      rest.layerMsByBatch,
      rest.prefillLayerMs,
      rest.loaded,
      id === source,
    ]);
    const inside = (count ?? 1) > 1 ? linkOf(entry, entry) : null;
    const found = representatives.findIndex((other) => {
      if (other.profile !== profile) return false;
      const between = linkOf(entry, other.entry);
      if (between !== linkOf(other.entry, entry)) return false;
      if ((other.inside ?? between) !== between || (inside ?? between) !== between) return false;
      return devices.every(
        (_, third) =>
          third === entry ||
          third === other.entry ||
          (linkOf(entry, third) === linkOf(other.entry, third) &&
            linkOf(third, entry) === linkOf(third, other.entry)),
      );
    });
    if (found >= 0) {
      representatives[found].inside = linkOf(entry, representatives[found].entry);
      return found;
    }
    representatives.push({ entry, profile, inside });
    return representatives.length - 1;
  });
}

/** The kind of a device of `instance.devices`. */
export function kindOf(instance: Instance, device: number): Kind {
  return instance.kinds[instance.devices[device].kind];
}

/** Memory that a device needs for these layers; shared memory counts once. */
export function memoryBytesOf(instance: Instance, layers: Iterable<number>): number {
  const held = new Set(layers);
  let bytes = 0;
  for (const layer of held) bytes += instance.layerMemoryBytes[layer];
  for (const group of instance.shared) {
    const holds = group.layers.filter((layer) => held.has(layer)).length;
    if (holds > 1) bytes -= (holds - 1) * group.memoryBytes;
  }
  return bytes;
}

/** Ms to send the output of `layer` between members of two kinds; infinite without a link. */
export function transferMs(instance: Instance, layer: number, from: number, to: number): number {
  const at = from * instance.kinds.length + to;
  return instance.fixedMs[at] + instance.crossingBytes[layer] * instance.msPerByte[at];
}

/** Why no plan can exist, if memory alone shows it; otherwise null. */
export function plainInfeasibility(instance: Instance): string | null {
  const source = instance.kinds[instance.sourceKind];
  const layers = Array.from({ length: instance.layerCount }, (_, layer) => layer);
  const pinned = layers.filter(
    (layer) => layer < instance.pinFirst || layer >= instance.pinLastFrom,
  );
  const pinnedBytes = memoryBytesOf(instance, pinned);
  const sourceBytes = source.memoryBytes;
  const sourceId = instance.devices[instance.source].id;
  if (pinnedBytes > sourceBytes)
    return `the layers pinned to ${sourceId} need ${formatBytes(pinnedBytes)} and it has ${formatBytes(sourceBytes)}`;
  const modelBytes = memoryBytesOf(instance, layers);
  const roomBytes = instance.kinds.reduce(
    (sum, kind) => sum + kind.members.length * kind.memoryBytes,
    0,
  );
  if (modelBytes > roomBytes)
    return `the model needs ${formatBytes(modelBytes)} and the room has ${formatBytes(roomBytes)}`;
  const largest = Math.max(...instance.kinds.map(({ memoryBytes }) => memoryBytes));
  for (const layer of layers) {
    const bytes = instance.layerMemoryBytes[layer];
    if (bytes > largest)
      return `layer ${layer} (${instance.layerNames[layer]}) needs ${formatBytes(bytes)} and no device has more than ${formatBytes(largest)}`;
  }
  return null;
}
