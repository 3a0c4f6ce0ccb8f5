import { describe, expect, it } from 'vitest';
import { findQuant, ggufModels, partPaths, quantOf } from './gguf-files.ts';

const files = [
  'README.md',
  'm-IQ4_XS.gguf',
  'm-Q4_K_S.gguf',
  'mmproj-m-Q4_K_M.gguf',
  'm-Q4_K_M.gguf',
  'm.Q8_0.GGUF',
  'BF16/m-BF16-00001-of-00002.gguf',
  'BF16/m-BF16-00002-of-00002.gguf',
];

describe('GGUF files of a repository', () => {
  it.each([
    ['Q4_K_M', 'm-Q4_K_M.gguf'],
    ['q4_k_m', 'm-Q4_K_M.gguf'],
    ['Q8_0', 'm.Q8_0.GGUF'],
    ['BF16', 'BF16/m-BF16-00001-of-00002.gguf'],
    ['Q4_K', null],
    ['Q5_0', null],
    ['.*', null],
    ['', 'm-Q4_K_M.gguf'],
  ])('are found by their type %j', (quant, path) => {
    expect(findQuant(files, quant)).toBe(path);
  });

  it('are the first of their kind where the usual types are missing', () => {
    expect(findQuant(['a-Q2_K.gguf', 'a-Q3_K_S.gguf'], '')).toBe('a-Q2_K.gguf');
    expect(findQuant(['README.md'], '')).toBeNull();
  });

  it('are one model where they are parts, and none where they belong to one', () => {
    expect(ggufModels(files).map(quantOf)).toEqual(['IQ4_XS', 'Q4_K_S', 'Q4_K_M', 'Q8_0', 'BF16']);
    expect(partPaths('BF16/m-BF16-00002-of-00002.gguf')).toEqual(files.slice(-2));
    expect(quantOf('x/My-Model.gguf')).toBe('My-Model.gguf');
    expect(quantOf('m-UD-Q4_K_XL.gguf')).toBe('UD-Q4_K_XL');
  });
});
