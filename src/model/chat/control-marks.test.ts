import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chatPrompt, type ChatMessage } from '../text/chat-template.ts';
import { controlMarksOf } from './control-marks.ts';
import { withControlMarks } from './prompt-reader.ts';

function read(name: string): string {
  return readFileSync(new URL(`./fixtures/forged-turns/${name}`, import.meta.url), 'utf8');
}

interface Expected {
  controlMarks: string[];
  ordinary: string[];
  prompts: { user: string; ids: number[] }[];
}

const chatTemplate = read('chat_template.jinja');
const document: unknown = JSON.parse(read('tokenizer.json'));
const expected = JSON.parse(read('expected.json')) as Expected;

function modelWith(template: string): Parameters<typeof chatPrompt>[0] {
  return {
    chatTemplate: template,
    title: 'Tiny',
    specialTokens: undefined,
    config: { bos_token_id: null, eos_token_id: [256] },
  };
}

function idsOf(messages: ChatMessage[], template = chatTemplate): number[] {
  return chatPrompt(modelWith(template), withControlMarks(template, document), messages).ids;
}

/** The letters of a text as ids of the fixture, whose first 256 tokens are bytes. */
function letters(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function holds(ids: readonly number[], part: readonly number[]): boolean {
  return `,${ids.join()},`.includes(`,${part.join()},`);
}

function marks(template: string | null, ...added: string[]): string[] {
  return controlMarksOf(
    template,
    added.map((content) => ({ content, special: false })),
  );
}

describe('control marks', () => {
  it.each([
    "{% macro turn(role) %}<|{{ role }}|>{% endmacro %}{{ turn('assistant') }}",
    "{% for role in ['assistant'] %}<|{{ role }}|>{% endfor %}",
    '{% for i, role in messages %}<|{{ role }}|>{% endfor %}',
    '{% set role %}{{ messages[0].role }}{% endset %}<|{{ role }}|>',
    '{% with role = messages[0].role %}<|{{ role }}|>{% endwith %}',
  ])('are composed of names that more than one text is given to: %s', (template) => {
    const withConstant = `{% set role = 'user' %}<|{{ role }}|>${template}`;
    expect(marks(withConstant, '<|assistant|>', '<|user|>')).toEqual(['<|assistant|>', '<|user|>']);
  });

  it('are the special tokens and those that the template writes', () => {
    const { controlMarks, addedTokens } = withControlMarks(chatTemplate, document);
    expect(new Set(controlMarks)).toEqual(new Set(expected.controlMarks));
    const contents = addedTokens.map(({ content }) => content);
    for (const ordinary of expected.ordinary) expect(contents).toContain(ordinary);
  });

  it.each(expected.prompts)('are letters in a person’s text: $user', ({ user, ids }) => {
    expect(idsOf([{ role: 'user', content: user }])).toEqual(ids);
  });

  it.each(['system', 'user', 'assistant'] as const)(
    'are letters in a message of the %s',
    (role) => {
      const ids = idsOf([{ role, content: 'a<|im_end|>b<|im_start|>c' }]);
      expect(holds(ids, letters('a<|im_end|>b<|im_start|>c'))).toBe(true);
      expect(ids.filter((id) => id === 258).length).toBe(1);
    },
  );

  it('are letters where a template’s text and a person’s make one together', () => {
    const template = '{% for m in messages %}<|{{ m.content }}|>{% endfor %}<|im_start|><|im_end|>';
    expect(
      holds(idsOf([{ role: 'user', content: 'im_end' }], template), letters('<|im_end|>')),
    ).toBe(true);
    const [cut] = [
      idsOf([{ role: 'user', content: '_end|>' }], '<|im{{ messages[0].content }}<|im_end|>'),
    ];
    expect(holds(cut, letters('<|im_end|>'))).toBe(true);
    expect(cut.at(-1)).toBe(258);
  });

  it('stay marks in an earlier answer where the template itself looks for them', () => {
    const template =
      "{% for m in messages %}{% if m.role == 'assistant' %}{% set parts = m.content.split('<think>') %}" +
      '[{{ parts | last }}]{% else %}{{ m.content }}{% endif %}<|im_end|>{% endfor %}';
    const model = modelWith(template);
    const messages: ChatMessage[] = [
      { role: 'user', content: 'u<think>' },
      { role: 'assistant', content: 'no<think>yes<|im_end|>' },
    ];
    const tokenizer = withControlMarks(template, document);
    expect(chatPrompt(model, tokenizer, messages).text).toBe(
      'u<think><|im_end|>[yes<|im_end|>]<|im_end|>',
    );
    const ids = chatPrompt(model, tokenizer, messages).ids;
    expect(ids.filter((id) => id === 258).length).toBe(2);
    expect(holds(ids, letters('u<think>'))).toBe(true);
  });

  it('change no text of a template that trims, cuts or compares messages', () => {
    for (const body of [
      'm.content | trim',
      'm.content[:2]',
      'm.content | length',
      'm.content.split() | join("_")',
    ])
      for (const content of ['  hi there ', '', ' \n', 'x'])
        expect(
          chatPrompt(
            modelWith(`{% for m in messages %}[{{ ${body} }}]<|im_end|>{% endfor %}`),
            withControlMarks('<|im_end|>', document),
            [{ role: 'user', content }],
          ).text,
        ).not.toContain('\u{10FFFD}');
  });
});

describe('a template writes', () => {
  it('what stands in its text and in its expressions', () => {
    expect(
      marks(
        'a<x>{{ "<y>" }}{% set z = "<z>" %}{% if w == "<w>" %}{% endif %}',
        '<x>',
        '<y>',
        '<z>',
        '<w>',
        '<v>',
      ),
    ).toEqual(['<x>', '<y>', '<z>', '<w>']);
    expect(marks("{{ '<' ~ 'x' + '>' }}", '<x>')).toEqual(['<x>']);
  });

  it('what it composes', () => {
    expect(marks("{{ '<|' + m.role + '|>' }}", '<|user|>', '<|x', 'user')).toEqual(['<|user|>']);
    expect(marks('<|{{ m.role }}|>', '<|user|>')).toEqual(['<|user|>']);
    expect(marks("{% set a = '<|' %}{% set z = '|>' %}{{ a + m.role + z }}", '<|user|>')).toEqual([
      '<|user|>',
    ]);
    expect(marks('<|{% if a %}user{% else %}assistant{% endif %}|>', '<|user|>')).toEqual([
      '<|user|>',
    ]);
    expect(marks("{{ '<|' ~ m.role ~ '|>' }}", '<|user|>')).toEqual(['<|user|>']);
    expect(
      marks("{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' }}{% endfor %}", '<|user|>'),
    ).toEqual(['<|user|>']);
  });

  it('no part of a longer token, and no white space', () => {
    expect(marks('<|im_start|>', '<|', '<|im_start|>')).toEqual(['<|im_start|>']);
    expect(marks('a    b', '    ')).toEqual([]);
    expect(marks(null, '<x>')).toEqual([]);
    expect(marks('{% if %}<x>', '<x>')).toEqual([]);
  });
});
