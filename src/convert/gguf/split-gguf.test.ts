import { describe, expect, it } from 'vitest';
import { ggufTitle, partsOf } from './split-gguf.ts';

describe('partsOf', () => {
  it.each([
    ['m.gguf', ['m.gguf']],
    ['m-00002-of-00002.gguf', ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf']],
    ['M-00001-OF-00001.GGUF', ['M-00001-of-00001.GGUF']],
    ['m-00003-of-00002.gguf', ['m-00003-of-00002.gguf']],
    ['m-00000-of-00000.gguf', ['m-00000-of-00000.gguf']],
  ])('names the parts of %s', (name, parts) => {
    expect(partsOf(name)).toEqual(parts);
  });

  it('refuses a name that speaks of more parts than any model has', () => {
    expect(() => partsOf('m-00001-of-99999.gguf')).toThrow(
      'm-00001-of-99999.gguf is one of 99999 parts by its name, where at most 1000 are expected',
    );
  });
});

it('ggufTitle leaves out the ending and the number of the part', () => {
  expect(['m.Q4_0.gguf', 'm-00001-of-00003.GGUF'].map(ggufTitle)).toEqual(['m.Q4_0', 'm']);
});
