/**
 * Rooms as they really are: all blocks of a model alike, each device with one time for all of them. Then the
 * order of the blocks does not matter, only how many each device holds and in which order the devices are visited.
 *
 * The layers between the pins are `blocks` equal ones and perhaps a head, which rides with the last visit of a lap.
 */
import { memoryBytesOf, transferMs, type Instance } from '../../instance.ts';

export interface UniformRoom {
  instance: Instance;
  blocks: number;
  hasHead: boolean;
  kindCount: number;
  sourceKind: number;
  /** Members of each kind worth considering: more could not be filled. */
  count: number[];
  /** ms a block on each kind, and for the head. */
  blockMs: number[];
  headMs: number[];
  /** Blocks that a member holds beside nothing else, and beside the head (-1 where the head itself does not fit). */
  capacity: number[];
  capacityWithHead: number[];
  /** Ms to pass a block's output on, at [from * kindCount + to]. */
  hopMs: Float64Array;
  /** Ms to return the last free layer's output to the source. */
  returnMs: number[];
  /** Pinned layers on the source. */
  pinnedMs: number;
}

/** The instance as a uniform room, or null where layers differ in a way that matters. */
export function readUniformRoom(instance: Instance): UniformRoom | null {
  const { pinFirst, pinLastFrom, layerCount, kinds, sourceKind } = instance;
  const free = pinLastFrom - pinFirst;
  if (pinFirst < 1 || free < 1) return null;
  const core = countAlike(instance);
  const hasHead = core === free - 1;
  if (core < free - 1 || core < 1) return null;
  for (let layer = pinFirst; layer < pinLastFrom - 1; layer++)
    if (instance.crossingBytes[layer] !== instance.crossingBytes[pinFirst - 1]) return null;
  const coreLayers = new Set(Array.from({ length: core }, (_, index) => pinFirst + index));
  if (instance.shared.some(({ layers }) => layers.some((layer) => coreLayers.has(layer))))
    return null;

  const pinned = Array.from({ length: layerCount }, (_, layer) => layer).filter(
    (layer) => layer < pinFirst || layer >= pinLastFrom,
  );
  const head = pinLastFrom - 1;
  const blockBytes = instance.layerMemoryBytes[pinFirst];
  const capacityBeside = (kind: number, layers: number[]) => {
    const leftBytes = kinds[kind].memoryBytes - memoryBytesOf(instance, layers);
    if (leftBytes < 0) return -1;
    return blockBytes === 0 ? core : Math.min(core, Math.floor(leftBytes / blockBytes));
  };
  const heldBy = (kind: number) => (kind === sourceKind ? pinned : []);
  const capacity = kinds.map((_, kind) => capacityBeside(kind, heldBy(kind)));
  const kindCount = kinds.length;
  return {
    instance,
    blocks: core,
    hasHead,
    kindCount,
    sourceKind,
    capacity,
    capacityWithHead: kinds.map((_, kind) =>
      hasHead ? capacityBeside(kind, [...heldBy(kind), head]) : capacity[kind],
    ),
    count: kinds.map(({ members }, kind) =>
      Math.min(members.length, capacity[kind] > 0 ? Math.ceil(core / capacity[kind]) + 1 : 1),
    ),
    blockMs: kinds.map(({ layerMs }) => layerMs[pinFirst]),
    headMs: kinds.map(({ layerMs }) => (hasHead ? layerMs[head] : 0)),
    hopMs: Float64Array.from({ length: kindCount * kindCount }, (_, at) =>
      transferMs(instance, pinFirst - 1, Math.floor(at / kindCount), at % kindCount),
    ),
    returnMs: kinds.map((_, kind) =>
      kind === sourceKind ? 0 : transferMs(instance, pinLastFrom - 1, kind, sourceKind),
    ),
    pinnedMs: pinned.reduce((sum, layer) => sum + kinds[sourceKind].layerMs[layer], 0),
  };
}

/** How many layers from the first free one on are alike in memory and on every device. */
function countAlike({ pinFirst, pinLastFrom, layerMemoryBytes, kinds }: Instance): number {
  let layer = pinFirst + 1;
  while (
    layer < pinLastFrom &&
    layerMemoryBytes[layer] === layerMemoryBytes[pinFirst] &&
    kinds.every(({ layerMs }) => layerMs[layer] === layerMs[pinFirst])
  )
    layer++;
  return layer - pinFirst;
}
