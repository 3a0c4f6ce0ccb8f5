/** A lap: the order in which stages follow each other, from the host round and back. Shared by all. */
import type { LayerRange } from './view.ts';

export interface Stage extends LayerRange {
  device: string;
}

export interface Lap {
  /** The plan's number in its room. */
  planVersion: number;
  stages: readonly Stage[];
}

/** A lap that a plan in use runs on. */
export interface LapInUse {
  lap: Lap;
  /** Aborts, with a sentence, when a device of the lap leaves or fails: what was on its way is lost. */
  lost: AbortSignal;
}

/** The lap broke under way; what the sequence had in its devices' caches is lost, the answer is not. */
export class LapLost extends Error {}

/**
 * Throws one sentence unless the stages run through layers 0 to `layerCount - 1`, each once and in order,
 * with the embedding and the head on the host, which is where text is.
 */
export function checkStages(stages: readonly Stage[], layerCount: number): void {
  let expected = 0;
  for (const { device, first, last } of stages) {
    if (first !== expected || last < first || last >= layerCount)
      throw new Error(
        `the plan's stage ${device}:${first}-${last} should start at layer ${expected} and end before layer ${layerCount}`,
      );
    expected = last + 1;
  }
  if (expected !== layerCount)
    throw new Error(
      `the plan ends at layer ${expected - 1}; the model's last layer is ${layerCount - 1}`,
    );
  if (stages[0].device !== 'host' || stages[stages.length - 1].device !== 'host')
    throw new Error(`the plan must keep layer 0 and layer ${layerCount - 1} on the host`);
}

/** Layers that a device holds under this lap, ascending. */
export function layersOf(lap: Lap, device: string): number[] {
  const layers = new Set<number>();
  for (const stage of lap.stages) {
    if (stage.device !== device) continue;
    for (let layer = stage.first; layer <= stage.last; layer++) layers.add(layer);
  }
  return [...layers].sort((a, b) => a - b);
}

export function devicesOf(lap: Lap): Set<string> {
  return new Set(lap.stages.map((stage) => stage.device));
}

export interface Hop {
  from: string;
  to: string;
}

/** Pairs of devices that pass hidden states on, back to the first stage included. */
export function hopsOf({ stages }: Pick<Lap, 'stages'>): Hop[] {
  return stages
    .map((stage, index) => ({
      from: stage.device,
      to: stages[(index + 1) % stages.length].device,
    }))
    .filter(({ from, to }) => from !== to);
}

/** Ascending layers as the ranges they form, for showing. */
export function rangesOf(layers: readonly number[]): LayerRange[] {
  const ranges: LayerRange[] = [];
  for (const layer of layers) {
    const previous = ranges.at(-1);
    if (previous?.last === layer - 1) previous.last = layer;
    else ranges.push({ first: layer, last: layer });
  }
  return ranges;
}

export function sameStages(a: readonly Stage[], b: readonly Stage[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      (stage, index) =>
        stage.device === b[index].device &&
        stage.first === b[index].first &&
        stage.last === b[index].last,
    )
  );
}
