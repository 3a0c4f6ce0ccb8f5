import { describe, expect, it } from 'vitest';
import { assumedMemoryBudget, minMemoryBudgetBytes, type Platform } from './memory-budget.ts';

const MiB = 1024 ** 2;
const laptop: Platform = { isPhoneOrTablet: false, isIos: false, backend: 'webgpu' };
const phone: Platform = { ...laptop, isPhoneOrTablet: true };

describe('assumedMemoryBudget', () => {
  it.each<[string, Platform, number]>([
    ['a quarter of a laptop’s memory', { ...laptop, deviceMemoryGiB: 8 }, 2048],
    ['2 GiB where a browser does not tell', laptop, 2048],
    ['no more than a wasm heap holds', { ...laptop, deviceMemoryGiB: 32, backend: 'wasm' }, 3072],
    ['as much as there is for WebGPU', { ...laptop, deviceMemoryGiB: 32 }, 8192],
    ['a quarter of a small phone’s memory', { ...phone, deviceMemoryGiB: 2 }, 512],
    ['no more than a phone gives a tab', { ...phone, deviceMemoryGiB: 8 }, 800],
    ['less on iOS, which tells nothing and kills early', { ...phone, isIos: true }, 600],
  ])('is %s', (_, platform, megabytes) => {
    expect(assumedMemoryBudget(platform)).toBe(megabytes * MiB);
  });

  it('is never less than a small model needs', () => {
    for (const deviceMemoryGiB of [0.25, 0.5, 1])
      for (const platform of [laptop, phone])
        expect(assumedMemoryBudget({ ...platform, deviceMemoryGiB })).toBeGreaterThanOrEqual(
          minMemoryBudgetBytes,
        );
  });
});
