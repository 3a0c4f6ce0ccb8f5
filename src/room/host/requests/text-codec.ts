/** Turns what a person writes into the ids that the model reads. */
import { chatPromptIds } from '../../../model/text/chat-template.ts';
import type { Manifest } from '../../../model/manifest.ts';
import type { Tokenizer } from '../../../model/text/tokenizer.ts';

/** Why a room takes no text. */
export const withoutTokenizer =
  'This model came without a tokenizer (tokenizer.json, tokenizer.model, or the vocabulary of a GGUF file): ' +
  'give it token ids instead of text, or open a copy that has one.';

export interface TextCodec {
  /** Null for a model without a tokenizer: it takes and gives token ids only. */
  tokenizer: Tokenizer | null;
  /** A chat model reads the text as a turn of its template; a base model goes on from it. */
  encodePrompt(text: string): number[];
  /** Ids that end a text. */
  stopIds: ReadonlySet<number>;
}

export function createTextCodec(manifest: Manifest, tokenizer: Tokenizer | null): TextCodec {
  const { bos_token_id: bos, eos_token_id: eos } = manifest.config;
  return {
    tokenizer,
    // A base model that begins a new text has ended the one before.
    stopIds: new Set(bos === null ? eos : [...eos, bos]),
    encodePrompt(text) {
      if (!tokenizer) throw new Error(withoutTokenizer);
      if (manifest.chatTemplate === null) return tokenizer.encode(text, { bos: true });
      return chatPromptIds(manifest, tokenizer, [{ role: 'user', content: text }]);
    },
  };
}
