import { expect, it } from 'vitest';
import { alone, answer } from '../gallery/people.ts';
import { measuredOn } from './measured.ts';

const plan = { ...alone, planVersion: 3 };
const lap = (planVersion: number, lapMs: number) => ({ planVersion, lapMs, stages: [] });

it('takes the newest answer that went round the running plan’s lap', () => {
  const answers = [
    answer({ lap: lap(3, 22) }),
    answer({ lap: lap(3, 20), msPerToken: 21, predictedMsPerToken: 19 }),
    answer({ lap: null, msPerToken: null }),
  ];
  expect(measuredOn(plan, answers)).toEqual({
    msPerToken: 21,
    predictedMsPerToken: 19,
    lap: lap(3, 20),
  });
});

it('does not put an earlier plan’s measurement beside this plan’s prediction', () => {
  expect(measuredOn(plan, [answer({ lap: lap(2, 43) })])).toBeNull();
});
