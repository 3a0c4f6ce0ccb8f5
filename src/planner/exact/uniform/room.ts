/**
 * A room whose blocks are alike, as in real models: each device takes one time for all of them. Then only the
 * number of blocks on each device and the order of devices matter.
 *
 * The layers between the pins are `blocks` equal ones and perhaps a head, which belongs to the last visit of
 * a lap.
 */
import { memoryBytesOf, transferMs, type Instance } from '../../instance.ts';

export interface UniformRoom {
  instance: Instance;
  blocks: number;
  hasHead: boolean;
  kindCount: number;
  sourceKind: number;
  /** The members of each kind that are worth considering; more could not be filled. */
  count: number[];
  /** Ms for a block on each kind, and for the head. */
  blockMs: number[];
  headMs: number[];
  /** The blocks that a member can hold alone, and beside the head (-1 if the head does not fit). */
  capacity: number[];
  capacityWithHead: number[];
  /** Ms to send a block's output, at [from * kindCount + to]. */
  hopMs: Float64Array;
  /** Ms to return the last free layer's output to the source. */
  returnMs: number[];
  /** Ms of the pinned layers on the source. */
  pinnedMs: number;
}

/** The instance as a uniform room; null if layers differ in a way that matters. */
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

/** The number of layers, from the first free one, that are alike in memory and on every device. */
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
