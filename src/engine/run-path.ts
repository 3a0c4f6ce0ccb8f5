/** A run's way through the loaded rows, each handing on to the next without leaving the device. */
import type { EmbeddingRow, HeadRow } from './edge-rows.ts';
import type { RunRequest } from './engine.ts';
import type { LayerRow } from './layer-row.ts';
import type { RunTensor } from './runtime.ts';

export type Row = EmbeddingRow | LayerRow | HeadRow;

export interface RunPath {
  embed(ids: Int32Array): Float32Array;
  firstLayer: number;
  layers: LayerRow[];
  head: HeadRow | null;
}

/** Hears when nothing is left to do but the last row. */
export type LastRow = () => void;

export function unheard(): void {
  // Nobody waits for it.
}

/** The loaded rows that a run goes through. Throws if one is missing. */
export function pathThrough(
  rows: ReadonlyMap<number, Row>,
  { first, last }: Pick<RunRequest, 'first' | 'last'>,
): RunPath {
  const firstLayer = Math.max(first, 1);
  const path: RunPath = { embed: noEmbedding, firstLayer, layers: [], head: null };
  for (let row = first; row <= last; row++) {
    const loaded = rows.get(row);
    if (!loaded) {
      const those = [...rows.keys()].sort((a, b) => a - b).join(', ') || 'none';
      throw new Error(`row ${row} is not loaded on this device; loaded are: ${those}`);
    }
    switch (loaded.kind) {
      case 'embed':
        path.embed = (ids) => loaded.lookUp(ids);
        break;
      case 'layer':
        path.layers.push(loaded);
        break;
      case 'head':
        path.head = loaded;
    }
  }
  return path;
}

function noEmbedding(): never {
  throw new Error('token ids came, and this run does not begin at the embedding row');
}

/** How one run goes through one row. */
export interface RowRuns {
  layer: (layer: LayerRow, hidden: RunTensor) => Promise<RunTensor>;
  head: (head: HeadRow, hidden: RunTensor) => Promise<RunTensor>;
}

export async function throughRows(
  { layers, head }: RunPath,
  input: RunTensor,
  onLastRow: LastRow,
  run: RowRuns,
): Promise<RunTensor> {
  const steps = layers.map((layer) => (hidden: RunTensor) => run.layer(layer, hidden));
  if (head) steps.push((hidden) => run.head(head, hidden));
  let hidden = input;
  for (const [index, step] of steps.entries()) {
    if (index === steps.length - 1) onLastRow();
    hidden = await step(hidden);
  }
  return hidden;
}
