import { expect, it } from 'vitest';
import { startRandom } from '../../src/planner/random.ts';
import { relayTarget } from './relay-target.ts';
import { createTally } from './tally.ts';

it.each([1, 2])(
  'anything at all to the relay leaves honest devices alone (seed %i)',
  async (seed) => {
    const tally = createTally();
    const target = await relayTarget({ random: startRandom(seed), seed, tally });
    try {
      expect(await target.feed(4000)).toBeGreaterThanOrEqual(4000);
    } finally {
      await target.close();
    }
    expect(tally.missing).toEqual([]);
  },
);
