import { describe, expect, it } from 'vitest';
import { readGenerationConfig } from './generation-config.ts';

function samplingOf(text: string): Record<string, number> {
  return readGenerationConfig(JSON.parse(text)).sampling;
}

describe('generation_config.json', () => {
  it.each([
    ['{ "top_k": -1, "temperature": 0.7 }', { temperature: 0.7 }],
    ['{ "top_k": 0, "top_p": 0.9 }', { top_p: 0.9 }],
    ['{ "top_k": null, "temperature": 0.6 }', { temperature: 0.6 }],
    ['{ "top_p": 1.2, "top_k": 20 }', { top_k: 20 }],
    ['{ "top_p": 1 }', {}],
    ['{ "top_p": -0.5 }', {}],
    ['{ "repetition_penalty": 0, "top_k": 5 }', { top_k: 5 }],
    ['{ "repetition_penalty": -1 }', {}],
    ['{ "repetition_penalty": 1.1 }', { repetition_penalty: 1.1 }],
    ['{ "min_p": 1.5, "temperature": 1 }', { temperature: 1 }],
    ['{ "min_p": -0.1 }', {}],
    ['{ "min_p": 0.05 }', { min_p: 0.05 }],
    ['{ "temperature": -0.5, "top_p": 0.5 }', { top_p: 0.5 }],
    ['{ "temperature": 0 }', { temperature: 0 }],
    ['{ "top_k": 40.5 }', {}],
    ['{ "temperature": "warm", "top_k": 7 }', { top_k: 7 }],
    [
      '{ "temperature": 1e999, "top_k": 1e999, "top_p": 1e999, "min_p": 1e999, "repetition_penalty": 1e999 }',
      {},
    ],
    ['{ "temperature": null, "top_p": null, "min_p": null, "repetition_penalty": null }', {}],
    ['{ "temperature": true, "top_k": "50", "top_p": [0.9], "min_p": {} }', {}],
    ['{ "temperature": 1000, "top_k": 1e12 }', {}],
    ['[]', {}],
    ['null', {}],
    ['"nonsense"', {}],
  ])('%s leaves of sampling what a sampler takes', (text, sampling) => {
    expect(samplingOf(text)).toEqual(sampling);
  });

  it.each([
    ['{ "do_sample": false, "temperature": 0.6, "top_p": 0.9 }', { temperature: 0 }],
    ['{ "do_sample": false }', { temperature: 0 }],
    ['{ "do_sample": false, "temperature": null, "top_k": null }', { temperature: 0 }],
    [
      '{ "do_sample": false, "top_k": 40, "min_p": 0.1, "repetition_penalty": 1.2 }',
      { temperature: 0, repetition_penalty: 1.2 },
    ],
    ['{ "do_sample": true, "temperature": 0.6 }', { temperature: 0.6 }],
    ['{ "do_sample": null, "temperature": 0.6 }', { temperature: 0.6 }],
    ['{ "do_sample": "false", "temperature": 0.6 }', { temperature: 0.6 }],
  ])('%s says whether the model is greedy', (text, sampling) => {
    expect(samplingOf(text)).toEqual(sampling);
  });

  it.each([
    [{ eos_token_id: 2 }, [2]],
    [{ eos_token_id: [2, 7] }, [2, 7]],
    [{ eos_token_id: null }, []],
    [{ eos_token_id: ['</s>', -1, 1.5, 3] }, [3]],
    [{ eos_token_id: '</s>' }, []],
    [{}, []],
  ])('%j names stop tokens', (json, eos) => {
    expect(readGenerationConfig(json).eos).toEqual(eos);
  });
});
