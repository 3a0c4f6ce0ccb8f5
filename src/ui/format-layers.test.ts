import { describe, expect, it } from 'vitest';
import {
  formatLayerRanges,
  formatLayers,
  formatLayersShort,
  formatLayerShort,
} from './format-layers.ts';

const range = (first: number, last = first) => ({ first, last });
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('layers', () => {
  it('names one block and a range of blocks', () => {
    expect(plain(formatLayers(range(4), 8))).toBe('block 4');
    expect(plain(formatLayers(range(4, 6), 8))).toBe('blocks 4–6');
  });

  it('names the two ends of a model, which are no blocks', () => {
    expect(plain(formatLayers(range(0, 3), 8))).toBe('embedding and blocks 1–3');
    expect(plain(formatLayers(range(0, 1), 8))).toBe('embedding and block 1');
    expect(plain(formatLayers(range(5, 7), 8))).toBe('blocks 5–6 and head');
    expect(formatLayers(range(0), 8)).toBe('embedding');
    expect(formatLayers(range(7), 8)).toBe('head');
  });

  it('never counts more blocks than the model has', () => {
    expect(formatLayers(range(0, 33), 34)).toBe('whole model');
    expect(plain(formatLayers(range(1, 33), 34))).toBe('blocks 1–32 and head');
  });

  it('names several ranges in one phrase', () => {
    expect(plain(formatLayerRanges([range(0, 3), range(5), range(7)], 8))).toBe(
      'embedding, blocks 1–3, 5 and head',
    );
    expect(plain(formatLayerRanges([range(3), range(5)], 8))).toBe('blocks 3 and 5');
    expect(plain(formatLayerRanges([range(0, 2), range(7)], 8))).toBe(
      'embedding, blocks 1–2 and head',
    );
    expect(formatLayerRanges([range(0, 2), range(3, 7)], 8)).toBe('whole model');
    expect(formatLayerRanges([], 8)).toBe('');
  });

  it('is short where space is small', () => {
    expect(formatLayersShort(range(0, 3), 8)).toBe('embed, 1–3');
    expect(formatLayersShort(range(4, 6), 8)).toBe('4–6');
    expect(formatLayersShort(range(6, 7), 8)).toBe('6, head');
    expect(formatLayersShort(range(0, 7), 8)).toBe('whole model');
  });

  it('names single layers', () => {
    const names = [0, 1, 6, 7].map((layer) => formatLayerShort(layer, 8));
    expect(names).toEqual(['embed', '1', '6', 'head']);
  });
});
