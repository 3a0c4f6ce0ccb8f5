/**
 * What people call the layers of a model. The planner deals layers; people count transformer blocks, and these
 * begin at 1:
 *
 *     layer       0           1 … N     N + 1
 *     is called   embedding   block k   head
 */
export type LayerKind = 'embedding' | 'block' | 'head';

/** A block's number is its layer's. */
export function layerKind(layer: number, layerCount: number): LayerKind {
  if (layer === 0) return 'embedding';
  return layer === layerCount - 1 ? 'head' : 'block';
}

/** As a sentence begins with it: "Block 3", "The embedding", "The head". */
export function layerName(layer: number, layerCount: number): string {
  const kind = layerKind(layer, layerCount);
  return kind === 'block' ? `Block ${layer}` : `The ${kind}`;
}
