import { expect, it } from 'vitest';
import { renderChat } from '../text/chat-template.ts';
import { templateSwitches } from './template-switches.ts';

const qwen =
  "{{ messages[0].content }}{% if add_generation_prompt %}{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>' }}{% endif %}{% endif %}";

it.each([
  [qwen, ['enable_thinking']],
  [
    '{% if not enable_thinking is defined %}{% set enable_thinking = true %}{% endif %}{{ enable_thinking }}',
    ['enable_thinking'],
  ],
  ['{% if thinking %}think{% endif %}', ['thinking']],
  ['{% set thinking = false %}{% if thinking %}x{% endif %}', []],
  ["{% set ns = namespace(thinking=false) %}{{ ns.thinking }}{{ m.thinking }}{{ 'thinking' }}", []],
  ['{% macro f(thinking) %}{{ thinking }}{% endmacro %}', []],
  ['{% macro think() %}x{% endmacro %}{{ think() }}', []],
  ['{{ messages }}', []],
  ['{% if %}', []],
])('what is left open by %s', (template, names) => {
  expect(templateSwitches(template)).toEqual(names);
});

it('is what the person says, and else as the template does by itself', () => {
  const messages = [{ role: 'user', content: 'hi' }] as const;
  const write = (switches?: Record<string, boolean>): string =>
    renderChat(qwen, messages, { bos: '', eos: '' }, switches ? { switches } : {});
  expect(write()).toBe('hi');
  expect(write({ enable_thinking: true })).toBe('hi');
  expect(write({ enable_thinking: false })).toBe('hi<think>\n\n</think>');
});

it('is not asked of a model without a template', () => {
  expect(templateSwitches(null)).toEqual([]);
});
