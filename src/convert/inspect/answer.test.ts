import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../model/text/tokenizer.ts';
import { byteLevelTokenizer } from '../../model/fixtures/tokenizer-files.ts';
import { answer, type Questions } from './answer.ts';
import { noFacts } from './reading/model-facts.ts';

const nothing: Questions = {
  messages: null,
  addGenerationPrompt: true,
  text: null,
  special: false,
  ids: null,
};

describe('a question to a model that comes to no end', () => {
  it('about its prompt is stopped, and the sentence says so', () => {
    const chatTemplate =
      '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}';
    const facts = { ...noFacts('folder'), chatTemplate };
    const messages = [{ role: 'user' as const, content: 'hi' }];
    expect(answer(facts, { ...nothing, messages }, 200)).toEqual({
      ...{ prompt: null, ids: null, text: null },
      refusal:
        'The model’s chat template or its tokenizer did not come to an end within 0.2 seconds and was stopped: take another model, or another version of this one.',
    });
  });

  it('about a text is stopped too', () => {
    const tokenizer = loadTokenizer({
      ...byteLevelTokenizer,
      pre_tokenizer: {
        type: 'Split',
        pattern: { Regex: '(a+)+$' },
        behavior: 'Isolated',
        invert: false,
      },
    });
    const facts = { ...noFacts('tokenizer'), tokenizer };
    const { refusal } = answer(facts, { ...nothing, text: `${'a'.repeat(40)}b` }, 200);
    expect(refusal).toMatch(/^The model’s tokenizer did not come to an end within 0\.2 seconds/);
  });
});
