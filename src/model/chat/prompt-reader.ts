/** Turns what a person asks into the ids that the model reads. */
import type { Manifest } from '../manifest.ts';
import { chatPrompt, type ChatModel, type PromptOptions } from '../text/chat-template.ts';
import { parseTokenizerText } from '../text/tokenizer-file.ts';
import { loadTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { controlMarksOf } from './control-marks.ts';

export type PromptSwitches = NonNullable<PromptOptions['switches']>;

/** What of a manifest a prompt depends on, without the rest of it. */
export function promptModelOf({ chatTemplate, title, config, specialTokens }: Manifest): ChatModel {
  const { bos_token_id, eos_token_id } = config;
  return { chatTemplate, title, config: { bos_token_id, eos_token_id }, specialTokens };
}

/** A chat model reads the text as a turn of its template; a base model goes on from it. */
export function promptIds(
  model: ChatModel,
  tokenizer: Tokenizer,
  text: string,
  switches: PromptSwitches = {},
): number[] {
  if (model.chatTemplate === null) return tokenizer.encode(text, { bos: true });
  return chatPrompt(model, tokenizer, [{ role: 'user', content: text }], { switches }).ids;
}

/**
 * The tokenizer of a model, which knows the control marks of the model's chat template.
 *
 * @param json the text of its `tokenizer.json`
 * @throws Error if that is none, or of a kind that cannot be read
 */
export function loadModelTokenizer(chatTemplate: string | null, json: string): Tokenizer {
  const document = parseTokenizerText(json);
  return withControlMarks(chatTemplate, document);
}

/** The same for a `tokenizer.json` that is parsed already. */
export function withControlMarks(chatTemplate: string | null, document: unknown): Tokenizer {
  return loadTokenizer(document, { controlMarks: (added) => controlMarksOf(chatTemplate, added) });
}
