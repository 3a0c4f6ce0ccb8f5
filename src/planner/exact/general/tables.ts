/** Builds the prefix sums and reaches that every step of the general search looks up. */
import { memoryBytesOf, transferMs, type Instance } from '../../instance.ts';

export interface Tables {
  layerCount: number;
  kindCount: number;
  /** Ms of the layers before `layer` on a kind, at [kind * (layerCount + 1) + layer]. */
  msBefore: Float64Array;
  /** Memory of the layers before `layer`, at least. Shared memory counts with the first of its layers only. */
  bytesBefore: Float64Array;
  /** Memory of one member of each kind that layers can use: if layers are alike, a whole number of them. */
  usableBytes: number[];
  /** Memory of each layer between the pins, if all are equal. */
  blockBytes: number | null;
  /**
   * The first layer after `layer` that no longer fits on an empty member beside those between; at [kind *
   * layerCount + layer].
   */
  reach: Int32Array;
  /**
   * Ms of a transfer after `layer`, at [(layer * kindCount + from) * kindCount + to]; infinite if there is no
   * link.
   */
  hopMs: Float64Array;
  /** Ms from a kind back to the source after the last layer. */
  homeMs: Float64Array;
}

export function buildTables(instance: Instance): Tables {
  const { layerCount, kinds, sourceKind } = instance;
  const kindCount = kinds.length;
  const width = layerCount + 1;
  const msBefore = new Float64Array(kindCount * width);
  for (const [kind, { layerMs }] of kinds.entries())
    for (let layer = 0; layer < layerCount; layer++)
      msBefore[kind * width + layer + 1] = msBefore[kind * width + layer] + layerMs[layer];

  const bytesBefore = new Float64Array(width);
  for (let layer = 0; layer < layerCount; layer++)
    bytesBefore[layer + 1] = bytesBefore[layer] + leastBytes(instance, layer);

  const hopMs = Float64Array.from({ length: layerCount * kindCount * kindCount }, (_, at) => {
    const to = at % kindCount;
    const from = Math.floor(at / kindCount) % kindCount;
    const layer = Math.floor(at / kindCount / kindCount);
    return from === to && kinds[from].members.length === 1
      ? Infinity
      : transferMs(instance, layer, from, to);
  });
  return {
    layerCount,
    kindCount,
    msBefore,
    bytesBefore,
    usableBytes: kinds.map((_, kind) => usableBytesOf(instance, kind)),
    blockBytes: sizeOfAlike(instance, instance.pinLastFrom),
    reach: reaches(instance, bytesBefore),
    hopMs,
    homeMs: Float64Array.from(kinds, (_, kind) =>
      kind === sourceKind ? 0 : transferMs(instance, layerCount - 1, kind, sourceKind),
    ),
  };
}

/** The least that a layer adds: without memory that it may share with an earlier layer on the same device. */
function leastBytes(instance: Instance, layer: number): number {
  const group = instance.shared.find(({ layers }) => layers.includes(layer));
  const isFirst = group === undefined || layer === Math.min(...group.layers);
  return instance.layerMemoryBytes[layer] - (isFirst ? 0 : group.memoryBytes);
}

/** The last free layer may be a head of another size. The rule for alike layers then applies to the others. */
function usableBytesOf(instance: Instance, kind: number): number {
  const { pinFirst, pinLastFrom, layerCount, kinds, sourceKind, layerMemoryBytes } = instance;
  const { memoryBytes } = kinds[kind];
  const size = sizeOfAlike(instance, pinLastFrom - 1);
  if (size === null || size === 0) return memoryBytes;
  const pinned = Array.from({ length: layerCount }, (_, layer) => layer).filter(
    (layer) => layer < pinFirst || layer >= pinLastFrom,
  );
  const heldBytes = kind === sourceKind ? memoryBytesOf(instance, pinned) : 0;
  const leftBytes = memoryBytes - heldBytes;
  const headBytes = layerMemoryBytes[pinLastFrom - 1];
  const without = Math.floor(leftBytes / size) * size;
  const withHead =
    leftBytes < headBytes ? 0 : headBytes + Math.floor((leftBytes - headBytes) / size) * size;
  return heldBytes + Math.max(0, without, withHead);
}

/** The memory of each layer from the first free one to before `end`, if all are equal. */
function sizeOfAlike(instance: Instance, end: number): number | null {
  const layers = instance.layerMemoryBytes.slice(instance.pinFirst, end);
  if (layers.length === 0 || instance.shared.length > 0) return null;
  return layers.every((bytes) => bytes === layers[0]) ? layers[0] : null;
}

function reaches(instance: Instance, bytesBefore: Float64Array): Int32Array {
  const { layerCount, kinds, sourceKind, pinFirst, pinLastFrom } = instance;
  const pinned = Array.from({ length: layerCount }, (_, layer) => layer).filter(
    (layer) => layer < pinFirst || layer >= pinLastFrom,
  );
  const reach = new Int32Array(kinds.length * layerCount);
  for (const [kind, { memoryBytes }] of kinds.entries())
    for (let first = 0; first < layerCount; first++) {
      const isSource = kind === sourceKind;
      const end = isSource ? layerCount : first < pinFirst ? first : Math.max(first, pinLastFrom);
      const before = isSource
        ? memoryBytesOf(
            instance,
            pinned.filter((layer) => layer < first),
          )
        : 0;
      let layer = first;
      while (layer < end && before + bytesBefore[layer + 1] - bytesBefore[first] <= memoryBytes)
        layer++;
      reach[kind * layerCount + first] = layer;
    }
  return reach;
}
