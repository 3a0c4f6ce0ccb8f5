import { expect, it } from 'vitest';
import { initialSettings, requestFor } from './sampling-settings.ts';

it('asks with the settings as they stand', () => {
  const request = requestFor('Once', { ...initialSettings, seed: 7, topK: 40 });
  expect(request.prompt).toEqual({ kind: 'text', text: 'Once' });
  expect(request.sampling).toMatchObject({ temperature: 0.8, topK: 40, topP: 0.9, seed: 7 });
  expect(request.maxNewTokens).toBe(200);
});

it('makes greedy a temperature of 0 and remembers the other one', () => {
  const settings = { ...initialSettings, greedy: true };
  expect(requestFor('', settings).sampling.temperature).toBe(0);
  expect(settings.temperature).toBe(0.8);
});

it('brings numbers back inside their bounds', () => {
  const { sampling, maxNewTokens } = requestFor('', {
    ...initialSettings,
    topP: 7,
    topK: 2.6,
    repetitionPenalty: NaN,
    maxNewTokens: 0,
  });
  expect(sampling.topP).toBe(1);
  expect(sampling.topK).toBe(3);
  expect(sampling.repetitionPenalty).toBe(1);
  expect(maxNewTokens).toBe(1);
});
