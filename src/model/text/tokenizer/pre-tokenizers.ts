/**
 * The steps that cut a section of a text into pieces; the model then encodes each piece by itself.
 *
 * `@huggingface/tokenizers` has these steps too, but its `Digits` knows only ASCII digits, its `Whitespace`
 * only ASCII letters, its white space is JavaScript's, and it ignores the `behavior` of `Split` and
 * `Punctuation`, the `split` of `Metaspace`, and where in the text a piece stands. So they are written here
 * after the tokenizers library (Rust), `src/pre_tokenizers`.
 */
import { toByteLetters } from './byte-letters.ts';
import { cutRanges, type CutBehaviour } from './cutting.ts';
import { compilePattern } from './patterns.ts';
import type { Step } from './steps.ts';

/** @param opensText whether the section begins where the text begins */
export type PreTokenizer = (section: string, opensText: boolean) => string[];

interface Piece {
  text: string;
  /** Whether it begins where the text begins. */
  opensText: boolean;
}

type Cut = (piece: Piece) => Piece[];

/** @throws Error that names the step that cannot be built */
export function preTokenizerOf(step: Step | null): PreTokenizer {
  if (step === null) return (section) => (section === '' ? [] : [section]);
  const cut = cutOf(step);
  return (text, opensText) =>
    text === '' ? [] : cut({ text, opensText }).map((piece) => piece.text);
}

/** GPT-2's words, in Oniguruma's syntax. */
export const gpt2Words =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const punctuation = '[\\p{P}!-/:-@\\[-`{-~]';
/** Rust's regex library counts the joiners U+200C and U+200D as parts of words. */
const word = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}';

function cutOf(step: Step): Cut {
  switch (step.type) {
    case 'Sequence':
      return inSequence((step.pretokenizers ?? []).map(cutOf));
    case 'Split': {
      if (!step.pattern) throw new Error('its pre-tokenizer Split has no pattern');
      return split(compilePattern(step.pattern), step.behavior, step.invert);
    }
    case 'ByteLevel':
      return byteLevel(step.add_prefix_space ?? true, step.use_regex ?? true);
    case 'Metaspace':
      return metaspace(step);
    case 'Digits':
      return splitAt(step.individual_digits === true ? '\\p{N}' : '\\p{N}+', 'Isolated');
    case 'Punctuation':
      return splitAt(punctuation, step.behavior ?? 'Isolated');
    case 'Whitespace':
      return split(compilePattern({ Regex: `[${word}]+|[^${word}\\s]+` }), 'Removed', true);
    case 'WhitespaceSplit':
      return splitAt('\\s', 'Removed');
    case 'BertPreTokenizer':
      return inSequence([splitAt('\\s', 'Removed'), splitAt(punctuation, 'Isolated')]);
    case 'CharDelimiterSplit': {
      if (step.delimiter === undefined) throw new Error('its CharDelimiterSplit has no delimiter');
      return split(compilePattern({ String: step.delimiter }), 'Removed');
    }
    default:
      throw new Error(`it cuts text by the step ${step.type}, which is not known here`);
  }
}

function inSequence(cuts: readonly Cut[]): Cut {
  return (piece) => cuts.reduce((pieces, cut) => pieces.flatMap(cut), [piece]);
}

function splitAt(regex: string, behaviour: CutBehaviour): Cut {
  return split(compilePattern({ Regex: regex }), behaviour);
}

function split(pattern: RegExp, behaviour: CutBehaviour = 'Isolated', invert = false): Cut {
  return ({ text, opensText }) =>
    cutRanges(text, pattern, behaviour, invert).map(({ start, end }) => ({
      text: text.slice(start, end),
      opensText: opensText && start === 0,
    }));
}

function byteLevel(prefixSpace: boolean, cutsWords: boolean): Cut {
  const words = cutsWords ? splitAt(gpt2Words, 'Isolated') : (piece: Piece) => [piece];
  return ({ text, opensText }) => {
    const spaced = prefixSpace && !text.startsWith(' ') ? ` ${text}` : text;
    return words({ text: spaced, opensText }).map((piece) => ({
      ...piece,
      text: toByteLetters(piece.text),
    }));
  };
}

function metaspace(step: Step): Cut {
  const space = step.replacement ?? '▁';
  // Older files say only whether there is a prefix.
  const scheme = step.add_prefix_space === false ? 'never' : (step.prepend_scheme ?? 'always');
  const isSplit = step.split ?? true;
  const words = split(compilePattern({ String: space }), 'MergedWithNext');
  return ({ text, opensText }) => {
    const spaced = text.replaceAll(' ', space);
    const isPrefixed = scheme === 'always' || (scheme === 'first' && opensText);
    const piece = {
      text: isPrefixed && !spaced.startsWith(space) ? space + spaced : spaced,
      opensText,
    };
    return isSplit ? words(piece) : [piece];
  };
}
