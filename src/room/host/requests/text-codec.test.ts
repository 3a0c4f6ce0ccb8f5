import { expect, it } from 'vitest';
import { withControlMarks } from '../../../model/chat/prompt-reader.ts';
import { llamaTokenizer } from '../../../model/fixtures/tokenizer-files.ts';
import { tinyManifest } from '../../../model/fixtures/tiny-manifest.ts';
import { createTextCodec } from './text-codec.ts';

const chatTemplate = '{% if enable_thinking %}x{% endif %}<think><|turn|>{{ messages[0].content }}';
const document = {
  ...llamaTokenizer,
  added_tokens: [
    ...llamaTokenizer.added_tokens,
    { id: 1000, content: '<think>', special: false },
    { id: 1001, content: '<|turn|>', special: false },
    { id: 1002, content: '<|other|>', special: false },
  ],
};
const tokenizer = withControlMarks(chatTemplate, document);
const manifest = { ...tinyManifest(), chatTemplate };

it('passes on what a person sets of the switches that the template has', async () => {
  const asked: unknown[] = [];
  const codec = createTextCodec(manifest, tokenizer, {
    encode: (text, switches) => {
      asked.push({ text, switches });
      return Promise.resolve([1]);
    },
  });
  await codec.encodePrompt('hi', { enable_thinking: false, messages: true, eos_token: true });
  await codec.encodePrompt('hi');
  expect(asked).toEqual([
    { text: 'hi', switches: { enable_thinking: false } },
    { text: 'hi', switches: {} },
  ]);
});

it('hides stops and marks of turns from an answer, and shows its reasoning', () => {
  const { hiddenIds, stopIds } = createTextCodec(manifest, tokenizer, null);
  for (const id of stopIds) expect(hiddenIds).toContain(id);
  expect([1000, 1001, 1002].map((id) => hiddenIds.has(id))).toEqual([false, true, false]);
});

it('takes no text for a model without a tokenizer', async () => {
  const codec = createTextCodec(tinyManifest(), null, null);
  await expect(codec.encodePrompt('hi')).rejects.toThrow(/came without a tokenizer/);
});
