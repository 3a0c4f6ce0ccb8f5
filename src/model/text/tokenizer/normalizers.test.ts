import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { readFixture } from './fixtures/read-fixture.ts';
import { normalizerOf } from './normalizers.ts';
import { StepSchema } from './steps.ts';

const { texts, steps } = readFixture(
  'normalizers.json',
  v.object({
    texts: v.array(v.string()),
    steps: v.array(v.object({ step: v.unknown(), texts: v.array(v.string()) })),
  }),
);
const cases = steps.map((entry) => [JSON.stringify(entry.step), entry.step, entry.texts] as const);

describe('a step that changes text', () => {
  it.each(cases)('%s gives the text of the tokenizers library', (_, step, changed) => {
    const change = normalizerOf(v.parse(StepSchema, step));
    expect(texts.map(change)).toEqual(changed);
  });

  it('with a table is refused where that is broken, and with an empty one does nothing', () => {
    const table = (precompiled_charsmap: string | null) =>
      normalizerOf(v.parse(StepSchema, { type: 'Precompiled', precompiled_charsmap }));
    expect(() => table('ALQCAACEAAAAAACAAQAAgMz8')).toThrow(/\(Precompiled\) is cut short/);
    expect(() => table('§')).toThrow(/\(Precompiled\) is not base64/);
    expect(table('')('ａ')).toBe('ａ');
    expect(table(null)('ａ')).toBe('ａ');
  });
});
