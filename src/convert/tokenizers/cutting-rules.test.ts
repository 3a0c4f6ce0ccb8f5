import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { preTokenizerOf } from '../../model/text/tokenizer/pre-tokenizers.ts';
import { StepSchema } from '../../model/text/tokenizer/steps.ts';
import { cuttingRules } from './cutting-rules.ts';

/** Pieces that the tokenizers library (Rust) cuts by these patterns. */
const known = v.parse(
  v.object({
    texts: v.array(v.string()),
    rules: v.record(v.string(), v.array(v.array(v.string()))),
  }),
  JSON.parse(readFileSync(new URL('fixtures/cutting-rules.json', import.meta.url), 'utf8')),
);

describe.each(Object.entries(cuttingRules))('the rule %s', (name, patterns) => {
  const pretokenizers = patterns.map((Regex) => ({
    type: 'Split',
    pattern: { Regex },
    behavior: 'Isolated',
    invert: false,
  }));
  const cut = preTokenizerOf(v.parse(StepSchema, { type: 'Sequence', pretokenizers }));

  it('cuts as the tokenizers library does', () => {
    expect(known.texts.map((text) => cut(text, true))).toEqual(known.rules[name]);
  });
});
