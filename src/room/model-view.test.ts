import { expect, it } from 'vitest';
import { tinyManifest } from '../model/fixtures/tiny-manifest.ts';
import { parseManifest } from '../model/parse-manifest.ts';
import { modelView } from './model-view.ts';

it('shows what the template leaves open and what the authors suggest', () => {
  const manifest = parseManifest({
    ...tinyManifest(),
    chatTemplate: '{% if enable_thinking %}<think>{% endif %}',
    sampling: { temperature: 0.6, top_k: 20, top_p: 0.95, min_p: 0.05, repetition_penalty: 1.1 },
  });
  expect(modelView(manifest)).toMatchObject({
    chat: true,
    switches: ['enable_thinking'],
    sampling: { temperature: 0.6, topK: 20, topP: 0.95, minP: 0.05, repetitionPenalty: 1.1 },
  });
});

it('leaves out what nobody says', () => {
  expect(modelView(parseManifest(tinyManifest()))).toMatchObject({
    chat: false,
    switches: [],
    sampling: {},
  });
});
