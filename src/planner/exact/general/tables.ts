/** Prefix sums and reaches that every step of the general search looks up. */
import { memoryBytesOf, transferMs, type Instance } from '../../instance.ts';

export interface Tables {
  rowCount: number;
  kindCount: number;
  /** Ms of the rows before `row` on a kind, at [kind * (rowCount + 1) + row]. */
  msBefore: Float64Array;
  /** Memory of the rows before `row`, tied memory counted with the first of its rows only: never more than what is needed. */
  bytesBefore: Float64Array;
  /** Memory of one member of each kind that rows can really take: no fraction of a row where they are alike. */
  usableBytes: number[];
  /** Memory of every row between the pins, where that is one figure. */
  layerBytes: number | null;
  /** First row, from `row` on, that no longer fits beside the others on an empty member; at [kind * rowCount + row]. */
  reach: Int32Array;
  /** Ms of a transfer after `row`, at [(row * kindCount + from) * kindCount + to]; infinite where there is none. */
  hopMs: Float64Array;
  /** Ms from a kind back to the source after the last row. */
  homeMs: Float64Array;
}

export function buildTables(instance: Instance): Tables {
  const { rowCount, kinds, sourceKind } = instance;
  const kindCount = kinds.length;
  const width = rowCount + 1;
  const msBefore = new Float64Array(kindCount * width);
  for (const [kind, { rowMs }] of kinds.entries())
    for (let row = 0; row < rowCount; row++)
      msBefore[kind * width + row + 1] = msBefore[kind * width + row] + rowMs[row];

  const bytesBefore = new Float64Array(width);
  for (let row = 0; row < rowCount; row++)
    bytesBefore[row + 1] = bytesBefore[row] + leastBytes(instance, row);

  const hopMs = Float64Array.from({ length: rowCount * kindCount * kindCount }, (_, at) => {
    const to = at % kindCount;
    const from = Math.floor(at / kindCount) % kindCount;
    const row = Math.floor(at / kindCount / kindCount);
    return from === to && kinds[from].members.length === 1
      ? Infinity
      : transferMs(instance, row, from, to);
  });
  return {
    rowCount,
    kindCount,
    msBefore,
    bytesBefore,
    usableBytes: kinds.map((_, kind) => usableBytesOf(instance, kind)),
    layerBytes: sizeOfAlike(instance, instance.pinLastFrom),
    reach: reaches(instance, bytesBefore),
    hopMs,
    homeMs: Float64Array.from(kinds, (_, kind) =>
      kind === sourceKind ? 0 : transferMs(instance, rowCount - 1, kind, sourceKind),
    ),
  };
}

/** What a row adds at the least: without the memory that it may share with an earlier row on the same device. */
function leastBytes(instance: Instance, row: number): number {
  const group = instance.shared.find(({ rows }) => rows.includes(row));
  const isFirst = group === undefined || row === Math.min(...group.rows);
  return instance.rowMemoryBytes[row] - (isFirst ? 0 : group.memoryBytes);
}

/** The last free row may be a head of another size; beside it, all rows count as alike. */
function usableBytesOf(instance: Instance, kind: number): number {
  const { pinFirst, pinLastFrom, rowCount, kinds, sourceKind, rowMemoryBytes } = instance;
  const { memoryBytes } = kinds[kind];
  const size = sizeOfAlike(instance, pinLastFrom - 1);
  if (size === null || size === 0) return memoryBytes;
  const pinned = Array.from({ length: rowCount }, (_, row) => row).filter(
    (row) => row < pinFirst || row >= pinLastFrom,
  );
  const heldBytes = kind === sourceKind ? memoryBytesOf(instance, pinned) : 0;
  const leftBytes = memoryBytes - heldBytes;
  const headBytes = rowMemoryBytes[pinLastFrom - 1];
  const without = Math.floor(leftBytes / size) * size;
  const withHead =
    leftBytes < headBytes ? 0 : headBytes + Math.floor((leftBytes - headBytes) / size) * size;
  return heldBytes + Math.max(0, without, withHead);
}

/** The memory of every row from the first free one to before `end`, where that is one figure. */
function sizeOfAlike(instance: Instance, end: number): number | null {
  const rows = instance.rowMemoryBytes.slice(instance.pinFirst, end);
  if (rows.length === 0 || instance.shared.length > 0) return null;
  return rows.every((bytes) => bytes === rows[0]) ? rows[0] : null;
}

function reaches(instance: Instance, bytesBefore: Float64Array): Int32Array {
  const { rowCount, kinds, sourceKind, pinFirst, pinLastFrom } = instance;
  const pinned = Array.from({ length: rowCount }, (_, row) => row).filter(
    (row) => row < pinFirst || row >= pinLastFrom,
  );
  const reach = new Int32Array(kinds.length * rowCount);
  for (const [kind, { memoryBytes }] of kinds.entries())
    for (let first = 0; first < rowCount; first++) {
      const isSource = kind === sourceKind;
      const end = isSource ? rowCount : first < pinFirst ? first : Math.max(first, pinLastFrom);
      const before = isSource
        ? memoryBytesOf(
            instance,
            pinned.filter((row) => row < first),
          )
        : 0;
      let row = first;
      while (row < end && before + bytesBefore[row + 1] - bytesBefore[first] <= memoryBytes) row++;
      reach[kind * rowCount + first] = row;
    }
  return reach;
}
