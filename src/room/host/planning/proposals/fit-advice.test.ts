import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../../model/catalogue.ts';
import { measuredMember } from '../../../fixtures/members.ts';
import { fitAdvice } from './fit-advice.ts';
import type { MeasuredMember } from '../../membership/members.ts';

const megabyte = 1e6;
/** Room for ten blocks of 100 MB each is needed, wherever they lie. */
function tenBlocksFit(members: readonly MeasuredMember[]): boolean {
  const fitting = members.map(({ profile }) =>
    Math.floor(profile.budgetBytes / profile.compute.blockBytes),
  );
  return fitting.reduce((sum, blocks) => sum + blocks, 0) >= 10;
}

function host(budgetMegabytes: number, weights: 'f32' | 'q8' | 'q4' = 'f32'): MeasuredMember {
  return measuredMember('host', {
    budgetBytes: budgetMegabytes * megabyte,
    compute: { backend: 'wasm', weights, blockBytes: 100 * megabyte },
  });
}

function advice(members: MeasuredMember[], parameters = 1e9): string {
  return fitAdvice({ members, parameters, fits: tenBlocksFit });
}

describe('fitAdvice', () => {
  it('says how much memory is missing, and which weights would fit without it', () => {
    const text = advice([host(700)]);
    const missing = Number(/It lacks (\d+) MB/.exec(text)?.[1]);
    expect(missing).toBeGreaterThanOrEqual(300);
    expect(missing).toBeLessThanOrEqual(304);
    // f16 weights are f32 ones on wasm, so q8 is the first that takes less.
    expect(text).toMatch(/With q8 weights it would fit/);
  });

  it('goes on to 4 bits where 8 are too many', () => {
    expect(advice([host(200)])).toMatch(/With q4 weights it would fit/);
  });

  it('names 16 bits where a graphics card takes half for them', () => {
    const card = measuredMember('host', {
      budgetBytes: 600 * megabyte,
      compute: { backend: 'webgpu', weights: 'f32', blockBytes: 100 * megabyte },
    });
    expect(advice([card])).toMatch(/With f16 weights it would fit/);
  });

  it('names the largest smaller model where no weights would do', () => {
    const small = catalogue.find(({ name }) => name === 'minimind2-chat');
    expect(advice([host(100, 'q8')])).toMatch(
      `A smaller model, such as ${small?.title ?? ''}, would fit`,
    );
    expect(advice([host(100, 'q4')], 1e6)).not.toMatch(/would fit/);
  });

  it('does not speak of memory where more of it does not help', () => {
    const text = fitAdvice({ members: [host(100)], parameters: 1, fits: () => false });
    expect(text).toBe('No amount of memory on this device alone would do.');
  });
});
