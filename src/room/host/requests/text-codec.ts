/** Turns what a person writes into the ids that the model reads. */
import type { PromptClient } from '../../../model/chat/prompt-client.ts';
import type { PromptSwitches } from '../../../model/chat/prompt-reader.ts';
import { templateSwitches } from '../../../model/chat/template-switches.ts';
import type { Manifest } from '../../../model/manifest.ts';
import type { Tokenizer } from '../../../model/text/tokenizer.ts';

/** Why a room takes no text. */
export const withoutTokenizer =
  'This model came without a tokenizer (tokenizer.json, tokenizer.model, or the vocabulary of a GGUF file): ' +
  'give it token ids instead of text, or open a copy that has one.';

export interface TextCodec {
  /** Null for a model without a tokenizer: it takes and gives token ids only. */
  tokenizer: Tokenizer | null;
  /**
   * A chat model reads the text as a turn of its template; a base model goes on from it. Rejects with one
   * sentence for a text that the template refuses, and for a template that comes to no end.
   */
  encodePrompt(text: string, switches?: PromptSwitches): Promise<number[]>;
  /** Ids that end a text. */
  stopIds: ReadonlySet<number>;
  /** Ids that are no part of an answer's text: those, and marks that only a template writes. */
  hiddenIds: ReadonlySet<number>;
}

/** @param prompts null for a model without a tokenizer */
export function createTextCodec(
  manifest: Manifest,
  tokenizer: Tokenizer | null,
  prompts: Pick<PromptClient, 'encode'> | null,
): TextCodec {
  const { bos_token_id: bos, eos_token_id: eos } = manifest.config;
  const known = templateSwitches(manifest.chatTemplate);
  // A base model that begins a new text has ended the one before.
  const stopIds = new Set(bos === null ? eos : [...eos, bos]);
  return {
    tokenizer,
    stopIds,
    hiddenIds: new Set([...stopIds, ...(tokenizer ? turnMarks(tokenizer) : [])]),
    encodePrompt(text, switches = {}) {
      if (!prompts) return Promise.reject(new Error(withoutTokenizer));
      // A name that the template does not leave open could stand for anything in it.
      const open = Object.entries(switches).filter(([name]) => known.includes(name));
      return prompts.encode(text, Object.fromEntries(open));
    },
  };
}

/** Marks around reasoning and calls of tools are a part of an answer, such as `<think>` and `</tool_call>`. */
const partOfAnswer = /^<\/?[A-Za-z][\w-]*>$/;

function turnMarks(tokenizer: Tokenizer): number[] {
  const special = new Set(tokenizer.specialTokens);
  return tokenizer.controlMarks.flatMap((mark) =>
    special.has(mark) || !partOfAnswer.test(mark) ? (tokenizer.tokenToId(mark) ?? []) : [],
  );
}
