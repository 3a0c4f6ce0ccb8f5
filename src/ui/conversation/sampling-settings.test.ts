import { expect, it } from 'vitest';
import { initialSettings, requestFor, settingsFor, withSwitch } from './sampling-settings.ts';

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

it('begins with what the model’s authors suggest, and with its own where they are silent', () => {
  expect(settingsFor(null)).toEqual(initialSettings);
  const suggested = settingsFor({
    sampling: { temperature: 0.6, topK: 20, repetitionPenalty: 1.1 },
  });
  expect(suggested).toEqual({
    ...initialSettings,
    temperature: 0.6,
    topK: 20,
    repetitionPenalty: 1.1,
  });
  const greedy = settingsFor({ sampling: { temperature: 0, repetitionPenalty: 1.2 } });
  expect(requestFor('', greedy).sampling).toMatchObject({ temperature: 0, repetitionPenalty: 1.2 });
  // A person who turns greedy off finds a temperature that samples.
  expect(requestFor('', { ...greedy, greedy: false }).sampling.temperature).toBe(0.8);
});

it('asks with the switches that a person set, and leaves the others to the model', () => {
  const on = withSwitch({}, 'enable_thinking', true);
  expect(requestFor('', { ...initialSettings, switches: on }).switches).toEqual({
    enable_thinking: true,
  });
  expect(withSwitch(on, 'enable_thinking', false)).toEqual({ enable_thinking: false });
  expect(withSwitch(on, 'enable_thinking', undefined)).toEqual({});
});
