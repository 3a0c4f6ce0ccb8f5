/**
 * Plans for a room that already runs: among plans nearly as fast as the best, it finds one that loads few
 * bytes.
 *
 * It puts a price on every byte to load, which gives one plain problem for each price. Each layer that is not
 * yet loaded takes longer by its price, so a layer moves only if that is worth loading it. The price is
 * changed until the plan just stays within the tolerance.
 */
import { findViolation, loadBytesOf, placementOfLayers, type Placement } from './evaluate.ts';
import { kindOf, type Instance } from './instance.ts';

export interface ReplanOptions {
  /** No plan may cost more than this. */
  mostMs: number;
  /** Ms of a placement by the objective. */
  msOf: (placement: Placement) => number;
  /** Solves a changed instance, and passes on every placement that it finds. */
  solve: (priced: Instance, onPlacement: (placement: Placement) => void) => void;
  /** The number of prices to try. */
  tries: number;
}

/** @returns `placement`, or one within the tolerance that loads less */
export function preferLoaded(
  instance: Instance,
  placement: Placement,
  options: ReplanOptions,
): Placement {
  let best = placement;
  let bestBytes = loadBytesOf(instance, placement);
  const consider = (each: Placement) => {
    const bytes = loadBytesOf(instance, each);
    const ms = options.msOf(each);
    const isBetter = bytes < bestBytes || (bytes === bestBytes && ms < options.msOf(best));
    if (ms <= options.mostMs && isBetter) [best, bestBytes] = [each, bytes];
  };

  const kept = keepLoaded(instance);
  if (findViolation(instance, kept) === null) consider(kept);

  let msPerByte = options.mostMs / Math.max(1, bestBytes);
  let step = 8;
  for (let attempt = 0; attempt < options.tries && bestBytes > 0; attempt++) {
    const found: Placement[] = [];
    options.solve(priceLoading(instance, msPerByte), (each) => {
      found.push(each);
      consider(each);
    });
    const last = found.at(-1);
    const within = last !== undefined && options.msOf(last) <= options.mostMs;
    msPerByte *= within ? step : 1 / step;
    if (attempt > 0) step = Math.max(1.2, Math.sqrt(step));
  }
  return best;
}

/**
 * Places every layer where it is already loaded, in the longest possible runs. Layers that no device has join
 * the run before them.
 */
function keepLoaded(instance: Instance): Placement {
  const { layerCount, devices, source, pinFirst, pinLastFrom } = instance;
  const isPinned = (layer: number) => layer < pinFirst || layer >= pinLastFrom;
  const runFrom = (device: number, first: number) => {
    let layer = first;
    while (layer < layerCount && !isPinned(layer) && kindOf(instance, device).loaded[layer] === 1)
      layer++;
    return layer - first;
  };
  const deviceOfLayer: number[] = [];
  for (let layer = 0; layer < layerCount;) {
    if (isPinned(layer)) {
      deviceOfLayer[layer++] = source;
      continue;
    }
    const before = layer === 0 ? source : deviceOfLayer[layer - 1];
    const runs = devices.map((_, device) => ({ device, layers: runFrom(device, layer) }));
    const longest = runs.reduce((a, b) => (b.layers > a.layers ? b : a));
    const end = layer + Math.max(1, longest.layers);
    while (layer < end) deviceOfLayer[layer++] = longest.layers > 0 ? longest.device : before;
  }
  return placementOfLayers(deviceOfLayer);
}

function priceLoading(instance: Instance, msPerByte: number): Instance {
  return {
    ...instance,
    kinds: instance.kinds.map((kind) => ({
      ...kind,
      layerMs: kind.layerMs.map((ms, layer) =>
        kind.loaded[layer] === 1 ? ms : ms + msPerByte * instance.layerWeightBytes[layer],
      ),
    })),
  };
}
