/** Finds first plans for a room whose layers differ: those of the same room with averaged layers. */
import { latencyCost } from '../../evaluate.ts';
import type { Instance } from '../../instance.ts';
import { startIncumbent, type Incumbent } from '../search.ts';
import { readUniformRoom } from '../uniform/room.ts';
import { solveUniform } from '../uniform/solve.ts';

export function offerAveraged(instance: Instance, incumbent: Incumbent, timeLimitMs: number): void {
  const alike = averageLayers(instance);
  const room = readUniformRoom(alike);
  if (room === null) return;
  const averaged = startIncumbent(
    alike,
    incumbent.deadline.within(timeLimitMs),
    (placement) => {
      const { computeMs, linkMs } = latencyCost(alike, placement);
      return computeMs + linkMs;
    },
    incumbent.offer,
  );
  solveUniform(room, averaged);
}

/**
 * Gives every free layer but the last the mean time of them all on each device, and the memory and output of
 * the largest.
 */
function averageLayers(instance: Instance): Instance {
  const { pinFirst, pinLastFrom } = instance;
  const end = Math.max(pinFirst + 1, pinLastFrom - 1);
  const level = (values: Float64Array, from: number, figure: (part: Float64Array) => number) =>
    values.slice().fill(figure(values.slice(from, end)), from, end);
  const largest = (part: Float64Array) => Math.max(...part);
  const mean = (part: Float64Array) => part.reduce((sum, ms) => sum + ms, 0) / part.length;
  return {
    ...instance,
    layerMemoryBytes: level(instance.layerMemoryBytes, pinFirst, largest),
    crossingBytes: level(instance.crossingBytes, Math.max(0, pinFirst - 1), largest),
    kinds: instance.kinds.map((kind) => ({
      ...kind,
      layerMs: level(kind.layerMs, pinFirst, mean),
    })),
  };
}
