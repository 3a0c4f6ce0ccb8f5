/** Turns a conversation into the text, and the token ids, that a chat model was trained to continue. */
import { Template } from '@huggingface/jinja';
import type { ModelConfig } from '../config.ts';
import type { Manifest } from '../manifest.ts';
import { parserFault } from './parser-fault.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** The spellings of `bos_token` and `eos_token` in templates. */
export interface SpecialTokens {
  bos: string;
  eos: string;
}

export interface PromptOptions {
  /** Whether the prompt ends with the beginning of the assistant's next answer; true unless told. */
  addGenerationPrompt?: boolean;
}

/**
 * @param template a Jinja chat template, as in `tokenizer_config.json`
 * @returns the conversation, up to where the assistant's next answer begins
 * @throws Error if the template cannot be read or refuses the messages
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  { bos, eos }: SpecialTokens,
  { addGenerationPrompt = true }: PromptOptions = {},
): string {
  try {
    return new Template(template).render({
      messages,
      add_generation_prompt: addGenerationPrompt,
      bos_token: bos,
      eos_token: eos,
    });
  } catch (error) {
    throw new Error(
      `the model's chat template does not take this conversation: ${parserFault(error)}`,
      { cause: error },
    );
  }
}

/** What of a manifest a prompt depends on. */
export interface ChatModel extends Pick<Manifest, 'chatTemplate' | 'title'> {
  config: Pick<ModelConfig, 'bos_token_id' | 'eos_token_id'>;
}

/** A private-use character, which texts do not contain. */
const mask = '\u{10FFFD}';

/**
 * The prompt of a conversation. If the tokenizer begins texts with a token, the prompt has that token once,
 * whether or not the template writes it.
 *
 * @throws Error for a model without a chat template
 */
export function chatPromptIds(
  { chatTemplate, config, title }: ChatModel,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: PromptOptions = {},
): number[] {
  if (chatTemplate === null)
    throw new Error(`${title} tells stories and has no chat template: give it a text to continue`);
  // If a person types the spelling of a special token, only its letters are meant: it must not start a new
  // turn.
  const defuse = ({ role, content }: ChatMessage): ChatMessage => ({
    role,
    content: tokenizer.specialTokens.reduce(
      (defused, token) => defused.replaceAll(token, Array.from(token).join(mask)),
      content.replaceAll(mask, ''),
    ),
  });
  const spelling = (id: number | null | undefined): string =>
    id === null || id === undefined ? '' : (tokenizer.idToToken(id) ?? '');
  const specialTokens = {
    bos: spelling(config.bos_token_id),
    eos: spelling(config.eos_token_id.at(0)),
  };
  const text = renderChat(chatTemplate, messages.map(defuse), specialTokens, options);
  const ids = tokenizer.encode(text, { bos: false, special: true, mask });
  const framed = tokenizer.encode(text, { bos: true, special: true, mask });
  const prefix = framed.slice(0, framed.length - ids.length);
  return prefix.every((id, i) => ids[i] === id) ? ids : framed;
}
