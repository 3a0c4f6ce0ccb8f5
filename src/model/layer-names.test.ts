import { expect, it } from 'vitest';
import { layerKind, layerName } from './layer-names.ts';

it('tells the two ends of a model from its blocks', () => {
  const kinds = [0, 1, 6, 7].map((layer) => layerKind(layer, 8));
  expect(kinds).toEqual(['embedding', 'block', 'block', 'head']);
});

it('counts blocks from 1, and never the two ends', () => {
  const names = [0, 1, 32, 33].map((layer) => layerName(layer, 34));
  expect(names).toEqual(['The embedding', 'Block 1', 'Block 32', 'The head']);
});
