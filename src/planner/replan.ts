/**
 * Plans for a room that already runs: among those nearly as fast as the best, one that loads few bytes.
 *
 * A price on every byte to load turns the trade into plain problems, one a price: with the times of layers not loaded yet raised by
 * their price, the fastest plan is the one that is worth its loading. Prices are raised and lowered until the plan just stays
 * within the tolerance.
 */
import { findViolation, loadBytesOf, placementOfLayers, type Placement } from './evaluate.ts';
import { kindOf, type Instance } from './instance.ts';

export interface ReplanOptions {
  /** No plan may cost more than this. */
  mostMs: number;
  /** Ms of a placement by the objective. */
  msOf: (placement: Placement) => number;
  /** Solves a changed instance, offering every placement that it comes across. */
  solve: (priced: Instance, onPlacement: (placement: Placement) => void) => void;
  /** Prices to try. */
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

/** Every layer where it is loaded already, in runs as long as possible; layers that nobody holds join the run before them. */
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
