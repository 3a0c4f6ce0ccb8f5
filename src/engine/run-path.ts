/** A run's path through the loaded layers; hidden states stay on the device between them. */
import type { EmbeddingLayer, HeadLayer } from './edge-layers.ts';
import type { RunRequest } from './engine.ts';
import type { BlockLayer } from './block-layer.ts';
import type { RunTensor } from './runtime.ts';

export type Layer = EmbeddingLayer | BlockLayer | HeadLayer;

export interface RunPath {
  embed(ids: Int32Array): Float32Array;
  firstBlock: number;
  blocks: BlockLayer[];
  head: HeadLayer | null;
}

/** Called when only the last layer is left to compute. */
export type LastLayer = () => void;

export function unheard(): void {
  // For runs whose caller does not need to know.
}

/** The loaded layers that a run goes through. Throws if one is missing. */
export function pathThrough(
  layers: ReadonlyMap<number, Layer>,
  { first, last }: Pick<RunRequest, 'first' | 'last'>,
): RunPath {
  const firstBlock = Math.max(first, 1);
  const path: RunPath = { embed: noEmbedding, firstBlock, blocks: [], head: null };
  for (let layer = first; layer <= last; layer++) {
    const loaded = layers.get(layer);
    if (!loaded) {
      const those = [...layers.keys()].sort((a, b) => a - b).join(', ') || 'none';
      throw new Error(`layer ${layer} is not loaded on this device; loaded are: ${those}`);
    }
    switch (loaded.kind) {
      case 'embed':
        path.embed = (ids) => loaded.lookUp(ids);
        break;
      case 'block':
        path.blocks.push(loaded);
        break;
      case 'head':
        path.head = loaded;
    }
  }
  return path;
}

function noEmbedding(): never {
  throw new Error('token ids came, but this run does not begin at the embedding layer');
}

/** How a run computes a block and a head. */
export interface LayerRuns {
  block: (block: BlockLayer, hidden: RunTensor) => Promise<RunTensor>;
  head: (head: HeadLayer, hidden: RunTensor) => Promise<RunTensor>;
}

export async function throughLayers(
  { blocks, head }: RunPath,
  input: RunTensor,
  onLastLayer: LastLayer,
  run: LayerRuns,
): Promise<RunTensor> {
  const steps = blocks.map((block) => (hidden: RunTensor) => run.block(block, hidden));
  if (head) steps.push((hidden) => run.head(head, hidden));
  let hidden = input;
  for (const [index, step] of steps.entries()) {
    if (index === steps.length - 1) onLastLayer();
    hidden = await step(hidden);
  }
  return hidden;
}
