import { describe, expect, it } from 'vitest';
import { chatPromptIds, renderChat } from './chat-template.ts';
import { tinyConfig } from './fixtures/tiny-manifest.ts';
import type { Tokenizer } from './tokenizer.ts';

const zephyr =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + eos_token + '\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}";
const tokens = { bos: '<s>', eos: '</s>' };

/** Ids are character codes; 1 is `<s>`, which begins every text. */
const byCharacter: Tokenizer = {
  encode: (text, { bos }) => {
    const ids = text
      .split(/(<s>)/)
      .flatMap((part) => (part === '<s>' ? [1] : Array.from(part, (c) => c.charCodeAt(0))));
    return bos ? [1, ...ids] : ids;
  },
  decode: (ids) => String.fromCharCode(...ids),
  streamDecoder: () => ({ push: (id) => String.fromCharCode(id), end: () => '' }),
  idToToken: (id) => ({ 1: '<s>', 2: '</s>' })[id],
  tokenToId: (token) => ({ '<s>': 1, '</s>': 2 })[token],
};

function prompt(chatTemplate: string | null): number[] {
  return chatPromptIds({ chatTemplate, config: tinyConfig, title: 'Tiny' }, byCharacter, [
    { role: 'user', content: 'hi' },
  ]);
}

describe('chat templates', () => {
  it('write a conversation up to the next answer', () => {
    const messages = [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hello' },
    ] as const;
    expect(renderChat(zephyr, messages, tokens)).toBe(
      '<|system|>\nBe kind.</s>\n<|user|>\nHello</s>\n<|assistant|>\n',
    );
  });

  it('say why they refuse a conversation', () => {
    const picky = "{{ raise_exception('roles must alternate') }}";
    expect(() => renderChat(picky, [], tokens)).toThrow(/roles must alternate/);
    expect(() => renderChat('{% if %}', [], tokens)).toThrow(/chat template/);
  });

  it('begin a prompt once, whether or not the template writes the beginning', () => {
    expect(prompt(zephyr).filter((id) => id === 1)).toEqual([1]);
    expect(prompt(`{{ bos_token }}${zephyr}`)).toEqual(prompt(zephyr));
  });

  it('are not expected of a model that tells stories', () => {
    expect(() => prompt(null)).toThrow(/Tiny tells stories/);
  });
});
