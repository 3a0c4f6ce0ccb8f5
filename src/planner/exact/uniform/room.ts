/**
 * Rooms as they really are: all layers of a model alike, each device with one time for all of them. Then the
 * order of the layers does not matter, only how many each device holds and in which order the devices are visited.
 *
 * The rows between the pins are `layers` equal ones and perhaps a head, which rides with the last visit of a lap.
 */
import { memoryBytesOf, transferMs, type Instance } from '../../instance.ts';

export interface UniformRoom {
  instance: Instance;
  layers: number;
  hasHead: boolean;
  kindCount: number;
  sourceKind: number;
  /** Members of each kind worth considering: more could not be filled. */
  count: number[];
  /** ms a layer on each kind, and for the head. */
  layerMs: number[];
  headMs: number[];
  /** Layers that a member holds beside nothing else, and beside the head (-1 where the head itself does not fit). */
  capacity: number[];
  capacityWithHead: number[];
  /** Ms to pass a layer's output on, at [from * kindCount + to]. */
  hopMs: Float64Array;
  /** Ms to return the last free row's output to the source. */
  returnMs: number[];
  /** Pinned rows on the source. */
  pinnedMs: number;
}

/** The instance as a uniform room, or null where rows differ in a way that matters. */
export function readUniformRoom(instance: Instance): UniformRoom | null {
  const { pinFirst, pinLastFrom, rowCount, kinds, sourceKind } = instance;
  const free = pinLastFrom - pinFirst;
  if (pinFirst < 1 || free < 1) return null;
  const core = countAlike(instance);
  const hasHead = core === free - 1;
  if (core < free - 1 || core < 1) return null;
  for (let row = pinFirst; row < pinLastFrom - 1; row++)
    if (instance.crossingBytes[row] !== instance.crossingBytes[pinFirst - 1]) return null;
  const coreRows = new Set(Array.from({ length: core }, (_, index) => pinFirst + index));
  if (instance.shared.some(({ rows }) => rows.some((row) => coreRows.has(row)))) return null;

  const pinned = Array.from({ length: rowCount }, (_, row) => row).filter(
    (row) => row < pinFirst || row >= pinLastFrom,
  );
  const head = pinLastFrom - 1;
  const layerBytes = instance.rowMemoryBytes[pinFirst];
  const capacityBeside = (kind: number, rows: number[]) => {
    const leftBytes = kinds[kind].memoryBytes - memoryBytesOf(instance, rows);
    if (leftBytes < 0) return -1;
    return layerBytes === 0 ? core : Math.min(core, Math.floor(leftBytes / layerBytes));
  };
  const heldBy = (kind: number) => (kind === sourceKind ? pinned : []);
  const capacity = kinds.map((_, kind) => capacityBeside(kind, heldBy(kind)));
  const kindCount = kinds.length;
  return {
    instance,
    layers: core,
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
    layerMs: kinds.map(({ rowMs }) => rowMs[pinFirst]),
    headMs: kinds.map(({ rowMs }) => (hasHead ? rowMs[head] : 0)),
    hopMs: Float64Array.from({ length: kindCount * kindCount }, (_, at) =>
      transferMs(instance, pinFirst - 1, Math.floor(at / kindCount), at % kindCount),
    ),
    returnMs: kinds.map((_, kind) =>
      kind === sourceKind ? 0 : transferMs(instance, pinLastFrom - 1, kind, sourceKind),
    ),
    pinnedMs: pinned.reduce((sum, row) => sum + kinds[sourceKind].rowMs[row], 0),
  };
}

/** How many rows from the first free one on are alike in memory and on every device. */
function countAlike({ pinFirst, pinLastFrom, rowMemoryBytes, kinds }: Instance): number {
  let row = pinFirst + 1;
  while (
    row < pinLastFrom &&
    rowMemoryBytes[row] === rowMemoryBytes[pinFirst] &&
    kinds.every(({ rowMs }) => rowMs[row] === rowMs[pinFirst])
  )
    row++;
  return row - pinFirst;
}
