import { describe, expect, it } from 'vitest';
import { hubCatalogue } from '../../model/hub-catalogue.ts';
import { needOf } from './model-need.ts';

/** As their authors count them, tied weights once. */
const published: Record<string, number> = {
  'HuggingFaceTB/SmolLM2-135M-Instruct': 134_515_008,
  'HuggingFaceTB/SmolLM2-360M-Instruct': 361_821_120,
  'Qwen/Qwen2.5-0.5B-Instruct': 494_032_768,
  'Qwen/Qwen3-0.6B': 596_049_920,
  'google/gemma-3-1b-it': 999_885_952,
  'TinyLlama/TinyLlama-1.1B-Chat-v1.0': 1_100_048_384,
  'Qwen/Qwen2.5-1.5B-Instruct': 1_543_714_304,
  'microsoft/Phi-3.5-mini-instruct': 3_821_079_552,
};

describe('what a model needs', () => {
  it.each(hubCatalogue)('follows from the figures of $id, which make its parameters', (entry) => {
    expect(needOf(entry.config).parameters).toBe(published[entry.id]);
  });

  it('counts weights once for the download, and each layer for memory', () => {
    const { config } = hubCatalogue[1];
    const parameters = 361_821_120;
    const need = needOf(config);
    expect(need.downloadBytes).toBe(2 * parameters);
    const embedding = 49_152 * 960;
    const ends = embedding + 960;
    // 4,096 positions of 5 heads of 64, keys and values in f32, in 32 blocks.
    const conversation = 32 * 4096 * 2 * 5 * 64 * 4;
    // The head is a copy of the embedding, which stays in 16 bits beside f32 blocks.
    expect(need.memoryBytes('f32')).toBe(4 * parameters + 2 * embedding + conversation);
    // Blocks of less than 16 MiB are held twice.
    const blocks = parameters - ends;
    expect(need.memoryBytes('q8')).toBe(2 * blocks + ends + embedding + conversation);
  });

  it('grows from the first of the catalogue to the last', () => {
    const sizes = hubCatalogue.map(({ config }) => needOf(config).parameters);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  });
});
