/** Layers in the words of a visitor, who counts blocks. */
import { layerKind } from '../model/layer-names.ts';
import type { LayerRange } from '../room/index.ts';

const space = '\u00a0';
const wholeModel = 'whole model';
const conjunction = new Intl.ListFormat('en-GB', { type: 'conjunction' });

/** "embedding and blocks 1–3", "block 4", "blocks 5–6 and head", "whole model". */
export function formatLayers(range: LayerRange, modelLayers: number): string {
  return formatLayerRanges([range], modelLayers);
}

/** "embedding, blocks 1–3, 5 and head"; empty for no layers. */
export function formatLayerRanges(ranges: readonly LayerRange[], modelLayers: number): string {
  if (isWhole(ranges, modelLayers)) return wholeModel;
  const { embedding, blocks, head } = partsOf(ranges, modelLayers);
  const isOne = blocks.length === 1 && blocks[0].first === blocks[0].last;
  const [firstNumbers, ...others] = blocks.map(numbersOf);
  return conjunction.format([
    ...(embedding ? ['embedding'] : []),
    ...(blocks.length > 0 ? [`${isOne ? 'block' : 'blocks'}${space}${firstNumbers}`] : []),
    ...others,
    ...(head ? ['head'] : []),
  ]);
}

/** Where space is small: "embed, 1–3", "4", "5–6, head". */
export function formatLayersShort(range: LayerRange, modelLayers: number): string {
  return shortParts(range, modelLayers).join(', ');
}

/** The same in parts that belong on one line each. */
export function shortParts(range: LayerRange, modelLayers: number): string[] {
  if (isWhole([range], modelLayers)) return [wholeModel];
  const { embedding, blocks, head } = partsOf([range], modelLayers);
  return [...(embedding ? ['embed'] : []), ...blocks.map(numbersOf), ...(head ? ['head'] : [])];
}

/** One division of a scale: "embed", "4", "head". */
export function formatLayerShort(layer: number, modelLayers: number): string {
  return formatLayersShort({ first: layer, last: layer }, modelLayers);
}

interface Parts {
  embedding: boolean;
  blocks: LayerRange[];
  head: boolean;
}

function partsOf(ranges: readonly LayerRange[], modelLayers: number): Parts {
  const kindOf = (layer: number) => layerKind(layer, modelLayers);
  return {
    embedding: ranges.some(({ first }) => kindOf(first) === 'embedding'),
    blocks: ranges
      .map(({ first, last }) => ({
        first: kindOf(first) === 'embedding' ? first + 1 : first,
        last: kindOf(last) === 'head' ? last - 1 : last,
      }))
      .filter(({ first, last }) => first <= last),
    head: ranges.some(({ last }) => kindOf(last) === 'head'),
  };
}

function isWhole(ranges: readonly LayerRange[], modelLayers: number): boolean {
  const count = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return count > 0 && count === modelLayers;
}

function numbersOf({ first, last }: LayerRange): string {
  return first === last ? String(first) : `${first}–${last}`;
}
