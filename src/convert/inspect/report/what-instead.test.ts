import { expect, it } from 'vitest';
import { nothingKnown, type ModelDescription } from '../description.ts';
import { whatInstead } from './what-instead.ts';

it.each<[string, Partial<ModelDescription>, RegExp]>([
  ['of which nothing is known', {}, /address of a model’s page on the hub/],
  [
    'stored in a type that no layer reads',
    { family: 'llama', layers: 2, weights: [{ type: 'I32', bytes: 8 }] },
    /original safetensors, or as a GGUF file/,
  ],
  [
    'of an unknown family',
    { kind: 'folder', family: 'mamba2', layers: 48 },
    /family that runs here/,
  ],
  ['without weights', { kind: 'tokenizer' }, /holds the weights as well/],
  ['that was cut', { kind: 'shards' }, /Cut or fetch the model again/],
  [
    'refused for another reason',
    {
      kind: 'gguf',
      family: 'llama',
      layers: 2,
      rope: { theta: 1, partialRotaryFactor: 1, scaling: null },
    },
    /another version of this model/,
  ],
])('says what to take in place of a model %s', (_, known, sentence) => {
  expect(whatInstead({ ...nothingKnown(), ...known })).toMatch(sentence);
});
