/** Never emits half a character; emitted text never changes. */
export interface StreamDecoder {
  /** The text that this token completes; may be empty. */
  push(id: number): string;
  /** The rest when no more tokens come; a broken character becomes U+FFFD. */
  end(): string;
}

/**
 * Decodes a sliding window twice: from the last settled place without and with the new tokens. The difference
 * is new text. An incomplete character decodes as one trailing U+FFFD.
 */
export function createStreamDecoder(
  decode: (ids: readonly number[]) => string,
  before: readonly number[],
): StreamDecoder {
  let window = before.slice(-contextTokens);
  let settled = window.length;
  let emitted = decode(window).length;

  const emitTo = (text: string, length: number): string => {
    const fresh = text.slice(emitted, length);
    emitted = Math.max(emitted, length);
    return fresh;
  };

  return {
    push: (id) => {
      window.push(id);
      const text = decode(window);
      if (text.endsWith('\uFFFD')) return emitTo(text, text.length - 1);
      const fresh = emitTo(text, text.length);
      // A token without text cannot serve as context.
      if (fresh === '') return '';
      window = window.slice(settled);
      settled = window.length;
      emitted = decode(window).length;
      return fresh;
    },
    end: () => {
      const text = decode(window);
      return emitTo(text, text.length);
    },
  };
}

/** Tokens of context that are enough to tell whether a word continues. */
const contextTokens = 8;
