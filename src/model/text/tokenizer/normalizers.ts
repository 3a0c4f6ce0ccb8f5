/**
 * The steps that change a section of a text before it is cut.
 *
 * `@huggingface/tokenizers` has these steps too, but its `Strip` trims JavaScript's white space, its `Replace`
 * reads `$` in the new text, and its `Precompiled` stands for another table than the file's. So they are
 * written here after the tokenizers library (Rust), `src/normalizers`.
 */
import { toByteLetters } from './byte-letters.ts';
import { charsmapNormalizer } from './charsmap.ts';
import { compilePattern, literalReplacement } from './patterns.ts';
import type { Step } from './steps.ts';
import { whiteSpaceEnd, whiteSpaceStart } from './white-space.ts';

export type Normalizer = (section: string) => string;

/** @throws Error that names the step that cannot be built */
export function normalizerOf(step: Step | null): Normalizer {
  if (step === null) return (text) => text;
  switch (step.type) {
    case 'Sequence': {
      const steps = (step.normalizers ?? []).map(normalizerOf);
      return (text) => steps.reduce((changed, change) => change(changed), text);
    }
    case 'Replace': {
      if (!step.pattern) throw new Error('its normalizer Replace has no pattern');
      const { String: plain } = { String: undefined, ...step.pattern };
      const pattern = plain !== undefined && plain !== '' ? plain : compilePattern(step.pattern);
      const replacement = literalReplacement(step.content ?? '');
      return (text) => text.replaceAll(pattern, replacement);
    }
    case 'Prepend': {
      const { prepend = '▁' } = step;
      return (text) => (text === '' ? '' : prepend + text);
    }
    case 'Strip':
      return strip(step.strip_left === true, step.strip_right === true);
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = step.type;
      return (text) => text.normalize(form);
    }
    case 'StripAccents':
      return (text) => text.replaceAll(/\p{M}/gu, '');
    case 'Lowercase':
      // Letter by letter: a whole word would end in another sigma.
      return (text) => Array.from(text, (letter) => letter.toLowerCase()).join('');
    case 'ByteLevel':
      return toByteLetters;
    case 'Precompiled':
      // An empty table changes nothing.
      return step.precompiled_charsmap === undefined ||
        step.precompiled_charsmap === null ||
        step.precompiled_charsmap === ''
        ? (text) => text
        : charsmapNormalizer(step.precompiled_charsmap);
    default:
      throw new Error(`it changes text by the step ${step.type}, which is not known here`);
  }
}

function strip(left: boolean, right: boolean): Normalizer {
  return (text) => {
    const start = left ? whiteSpaceEnd(text, 0) : 0;
    return text.slice(start, right ? whiteSpaceStart(text, text.length, start) : undefined);
  };
}
