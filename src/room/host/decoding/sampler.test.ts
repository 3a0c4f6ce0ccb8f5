import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSampler, greedy, topLogits } from './sampler.ts';
import type { SamplingOptions } from '../../room.ts';

const plain: SamplingOptions = { ...greedy, temperature: 1, seed: 1 };

function logits(...values: number[]): Float32Array {
  return Float32Array.from(values);
}

/** How often each id is drawn, as a share of all draws. */
function shares(scores: Float32Array, options: SamplingOptions, draws = 40_000): number[] {
  const sampler = createSampler(options);
  const counts = new Array<number>(scores.length).fill(0);
  for (let draw = 0; draw < draws; draw++) counts[sampler.next(scores, [])]++;
  return counts.map((count) => count / draws);
}

/**
 * What each id's probability should be, worked out the slow and plain way: one filter after the other over
 * a full softmax, renormalised after each.
 */
function expectedShares(
  scores: Float32Array,
  { temperature, topK, topP, minP, repetitionPenalty }: SamplingOptions,
  context: readonly number[] = [],
): number[] {
  const scaled = [...scores].map((score, id) => {
    const seen = context.includes(id);
    const factor = score > 0 ? 1 / repetitionPenalty : repetitionPenalty;
    return (seen ? score * factor : score) / temperature;
  });
  const byRank = scaled.map((_, id) => id).sort((a, b) => scaled[b] - scaled[a] || a - b);
  let kept = new Set(byRank);
  const probabilities = (): number[] => {
    const weights = scaled.map((score, id) => (kept.has(id) ? Math.exp(score) : 0));
    const total = weights.reduce((sum, weight) => sum + weight);
    return weights.map((weight) => weight / total);
  };
  if (topK > 0) kept = new Set(byRank.slice(0, topK));
  if (topP < 1) {
    const current = probabilities();
    const nucleus = new Set<number>();
    let reached = 0;
    for (const id of byRank) {
      if (reached >= topP) break;
      if (kept.has(id)) nucleus.add(id);
      reached += current[id];
    }
    kept = nucleus;
  }
  const current = probabilities();
  const bound = minP * Math.max(...current);
  kept = new Set([...kept].filter((id) => current[id] >= bound));
  return probabilities();
}

/** Four standard deviations of a share of 40,000 draws stay below this. */
const shareTolerance = 0.01;

function expectShares(found: number[], expected: number[]): void {
  found.forEach((share, id) => {
    expect(Math.abs(share - expected[id])).toBeLessThan(shareTolerance);
    if (expected[id] === 0) expect(share).toBe(0);
  });
}

const scores = logits(2.0, 1.5, -0.3, 0.9, 3.1, -4, 0, 2.6);

describe('createSampler', () => {
  it('takes the most likely token when greedy, the first of equals', () => {
    expect(createSampler(greedy).next(logits(1, 5, 3, 5), [])).toBe(1);
    expect(createSampler(greedy).next(logits(-3, -1, -2), [])).toBe(1);
  });

  it.each<[string, Partial<SamplingOptions>]>([
    ['the softmax', {}],
    ['temperature', { temperature: 0.6 }],
    ['a high temperature', { temperature: 2.5 }],
    ['top-k', { topK: 3 }],
    ['a top-k of one', { topK: 1 }],
    ['top-p', { topP: 0.7 }],
    ['a top-p that keeps one token', { topP: 0.01 }],
    ['min-p', { minP: 0.2 }],
    ['all filters together', { temperature: 1.4, topK: 6, topP: 0.9, minP: 0.15 }],
  ])('draws by %s', (_, change) => {
    const options = { ...plain, ...change };
    expectShares(shares(scores, options), expectedShares(scores, options));
  });

  it('keeps exactly the tokens that a plain calculation keeps', () => {
    // Scores that float32 holds exactly, and bounds that no sum of equal shares hits: a tie at a bound
    // falls either way by the last bit, in either calculation.
    const score = fc.integer({ min: -32, max: 32 }).map((quarters) => quarters / 4);
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 1, maxLength: 12 }),
        fc.record({
          temperature: fc.double({ min: 0.3, max: 3, noNaN: true }),
          topK: fc.integer({ min: 0, max: 12 }),
          topP: fc.constantFrom(0.2137, 0.5071, 0.8133, 0.9519, 1),
          minP: fc.constantFrom(0, 0.0513, 0.3031),
          repetitionPenalty: fc.constantFrom(1, 2, 0.5),
          seed: fc.integer(),
        }),
        fc.array(fc.nat(11), { maxLength: 5 }),
        (values, options, seen) => {
          const context = seen.filter((id) => id < values.length);
          const given = Float32Array.from(values);
          const expected = expectedShares(given, options, context);
          const drawn = createSampler(options).next(given, context);
          expect(expected[drawn]).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('makes what was there already less likely, whichever its sign', () => {
    const options = { ...plain, repetitionPenalty: 2 };
    const sampler = createSampler(options);
    const counts = new Array<number>(scores.length).fill(0);
    const context = [4, 4, 5];
    for (let draw = 0; draw < 40_000; draw++) counts[sampler.next(scores, context)]++;
    const found = counts.map((count) => count / 40_000);
    expectShares(found, expectedShares(scores, options, context));
    expect(found[4]).toBeLessThan(expectedShares(scores, plain)[4] / 2);
    const greedily = { ...greedy, repetitionPenalty: 2 };
    expect(createSampler(greedily).next(scores, [4])).toBe(7);
  });

  it('leaves the logits as they were', () => {
    const before = scores.slice();
    createSampler({ ...plain, repetitionPenalty: 1.5, topK: 2 }).next(scores, [0, 4]);
    expect(scores).toEqual(before);
  });

  it('gives the same tokens for the same seed and others for another', () => {
    const tokens = (seed: number | null): string => {
      const sampler = createSampler({ ...plain, seed });
      return Array.from({ length: 40 }, () => sampler.next(scores, [])).join();
    };
    expect(tokens(7)).toBe(tokens(7));
    expect(tokens(0)).toBe(tokens(0));
    expect(tokens(8)).not.toBe(tokens(7));
    expect(tokens(null)).not.toBe(tokens(null));
  });

  it.each<[string, Partial<SamplingOptions>]>([
    ['top-p', { topP: 0.9 }],
    ['top-k', { topK: 40 }],
    ['top-k and top-p', { topK: 40, topP: 0.5 }],
    ['min-p', { minP: 0.05 }],
    ['nothing at all', {}],
  ])(
    'keeps by %s of many tokens, likely ones rare, what a plain calculation keeps',
    (_, change) => {
      const many = Float32Array.from({ length: 2000 }, (_, id) => -8 * Math.sin(id ** 2) ** 2);
      const options = { ...plain, ...change };
      const expected = expectedShares(many, options);
      const sampler = createSampler({ ...options, seed: 3 });
      let outside = 0;
      const counts = new Map<number, number>();
      for (let draw = 0; draw < 3000; draw++) {
        const id = sampler.next(many, []);
        if (expected[id] === 0) outside++;
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      expect(outside).toBe(0);
      // Whoever is likeliest comes about as often as it should, and many different ones come where many are kept.
      const kept = expected.filter((share) => share > 0).length;
      expect(counts.size).toBeGreaterThan(Math.min(kept, 3000) / 3);
    },
  );

  it('draws from a vocabulary of real size as from a small one', () => {
    const wide = new Float32Array(32_000).fill(-20);
    wide[31_999] = 1;
    wide[17] = 0;
    const found = shares(wide, plain, 4000);
    // e / (1 + e); the other 31,998 tokens share less than a ten-thousandth.
    expect(found[31_999]).toBeGreaterThan(0.7);
    expect(found[31_999]).toBeLessThan(0.76);
    expect(found[17]).toBeGreaterThan(0.24);
  });
});

describe('topLogits', () => {
  it('gives what sorting all of them would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 10 }),
        (values, count) => {
          const sorted = values
            .map((value, id): [number, number] => [id, value])
            .sort((a, b) => b[1] - a[1] || a[0] - b[0])
            .slice(0, count);
          expect(topLogits(Float32Array.from(values), count)).toEqual(sorted);
        },
      ),
    );
  });
});
