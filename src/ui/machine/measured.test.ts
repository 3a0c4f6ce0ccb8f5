import { expect, it } from 'vitest';
import type { AnswerView, PlanView } from '../../room/view.ts';
import { measuredMsPerToken } from './measured.ts';

const plan: PlanView = {
  epoch: 3,
  stages: [{ device: 'host', first: 0, last: 7 }],
  predictedMsPerToken: 20,
  why: '',
  status: 'running',
};

const answer = (predictedMsPerToken: number, msPerToken: number | null): AnswerView => ({
  id: 1,
  asker: 'host',
  prompt: '',
  text: '',
  status: { kind: 'writing' },
  promptTokens: 1,
  newTokens: 1,
  ttftMs: 1,
  msPerToken,
  predictedMsPerToken,
});

it('takes the newest answer under the running plan', () => {
  expect(measuredMsPerToken(plan, [answer(20, 22), answer(20, 21), answer(20, null)])).toBe(21);
});

it('does not put an earlier plan’s measurement beside this plan’s prediction', () => {
  expect(measuredMsPerToken(plan, [answer(40, 43)])).toBeNull();
});
