/**
 * The steps that make a text of the spellings of tokens. `@huggingface/tokenizers` has most of them; these are
 * written here after the tokenizers library (Rust), `src/decoders`, because its own differ: its `Metaspace`
 * drops the first space also where none was put, its `ByteFallback` drops U+FEFF, its `Replace` reads `$` in
 * the new text, and its `ByteLevel` looks for each token in the list of all added ones.
 */
import { fromByteLetters } from './byte-letters.ts';
import { libraryWith } from './models.ts';
import { compilePattern, literalReplacement } from './patterns.ts';
import type { Step } from './steps.ts';

/** Changes a list of spellings; their concatenation is the text. */
export type Decoder = (tokens: string[]) => string[];

/**
 * @param added spellings of added tokens, which stand for themselves
 * @throws Error that names the step that cannot be built
 */
export function decoderOf(step: Step | null, added: ReadonlySet<string>): Decoder {
  // Without a decoder, the library in Rust puts spaces between tokens.
  if (step === null) return (tokens) => [tokens.join(' ')];
  switch (step.type) {
    case 'Sequence': {
      const steps = (step.decoders ?? []).map((part) => decoderOf(part, added));
      return (tokens) => steps.reduce((changed, change) => change(changed), tokens);
    }
    case 'Metaspace':
      return metaspace(step);
    case 'ByteFallback':
      return byteFallback;
    case 'ByteLevel':
      return (tokens) => byteLevel(tokens, added);
    case 'Replace': {
      if (!step.pattern) throw new Error('its decoder Replace has no pattern');
      const pattern = compilePattern(step.pattern);
      const replacement = literalReplacement(step.content ?? '');
      return (tokens) => tokens.map((token) => token.replaceAll(pattern, replacement));
    }
    default:
      return libraryDecoder(step);
  }
}

function libraryDecoder(step: Step): Decoder {
  const { decoder } = libraryWith({ decoder: step });
  if (!decoder) throw new Error(`its decoder ${step.type} cannot be built`);
  return (tokens) => decoder.decode_chain(tokens);
}

function metaspace(step: Step): Decoder {
  const space = step.replacement ?? '▁';
  const isPrefixed = step.add_prefix_space !== false && step.prepend_scheme !== 'never';
  return (tokens) =>
    tokens.map((token, at) => token.replaceAll(space, at === 0 && isPrefixed ? '' : ' '));
}

function byteFallback(tokens: string[]): string[] {
  return withBytesJoined(tokens, (token) => {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    return byte && [parseInt(byte[1], 16)];
  });
}

function byteLevel(tokens: string[], added: ReadonlySet<string>): string[] {
  return withBytesJoined(tokens, (token) => (added.has(token) ? null : fromByteLetters(token)));
}

/** Tokens that stand for bytes become text with their neighbours of that kind: a character may span several. */
function withBytesJoined(
  tokens: readonly string[],
  bytesOf: (token: string) => Iterable<number> | null,
): string[] {
  const result: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) result.push(textOf(bytes));
    bytes = [];
  };
  for (const token of tokens) {
    const spelt = bytesOf(token);
    if (spelt) {
      bytes.push(...spelt);
      continue;
    }
    flush();
    result.push(token);
  }
  flush();
  return result;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function textOf(bytes: number[]): string {
  return decoder.decode(Uint8Array.from(bytes));
}
