/** Turns a conversation into the text, and the token ids, that a chat model was trained to continue. */
import { marksLookedFor } from '../chat/control-marks.ts';
import { mask, renderMasked, withoutMask } from '../chat/masked-text.ts';
import { templateTokens, type TokenNaming } from '../chat/template-tokens.ts';
import { TemplateFault } from '../jinja/fault.ts';
import { parseTemplate } from '../jinja/parse/parse-template.ts';
import { render } from '../jinja/run/render.ts';
import type { Statement } from '../jinja/parse/syntax.ts';
import { fromJson, type Value } from '../jinja/values/values.ts';
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
  /** What the template leaves to whoever asks, by name; see `template-switches.ts`. */
  switches?: Readonly<Record<string, boolean>>;
}

/** What of a manifest a prompt depends on. */
export interface ChatModel extends Pick<Manifest, 'chatTemplate' | 'title'>, TokenNaming {}

/**
 * @param template a Jinja chat template, as in `tokenizer_config.json`
 * @returns the conversation, up to where the assistant's next answer begins. It is what Jinja 2 of Python
 *   writes as transformers sets it up (`utils/chat_template_utils.py`).
 * @throws Error if the template cannot be read or refuses the messages
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  { bos, eos }: SpecialTokens,
  options: PromptOptions = {},
): string {
  return withReason(() =>
    renderWith(parseTemplate(template), messages, { bos_token: bos, eos_token: eos }, options),
  );
}

export interface ChatPrompt {
  /** As `apply_chat_template` of transformers writes it. */
  text: string;
  /**
   * Control marks that a message spells are letters. If the tokenizer begins texts with a token, the prompt has
   * that token once, whether or not the template writes it.
   */
  ids: number[];
}

/**
 * The prompt of a conversation.
 *
 * @throws Error for a model without a chat template, or one whose template refuses the messages
 */
export function chatPrompt(
  model: ChatModel,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: PromptOptions = {},
): ChatPrompt {
  const masked = maskedPrompt(model, tokenizer, messages, options);
  const ids = tokenizer.encode(masked, { bos: false, special: true, mask });
  const prefix = tokenizer.encode('', { bos: true });
  return {
    text: withoutMask(masked),
    ids: prefix.every((id, i) => ids[i] === id) ? ids : [...prefix, ...ids],
  };
}

function maskedPrompt(
  model: ChatModel,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: PromptOptions,
): string {
  const { chatTemplate, title } = model;
  if (chatTemplate === null)
    throw new Error(`${title} tells stories and has no chat template: give it a text to continue`);
  return withReason(() => {
    const statements = parseTemplate(chatTemplate);
    const variables = templateTokens(model, tokenizer);
    const marks = tokenizer.controlMarks;
    return renderMasked((masked) => renderWith(statements, masked, variables, options), messages, {
      marks,
      lookedFor: marksLookedFor(statements, marks),
    });
  });
}

function renderWith(
  statements: readonly Statement[],
  messages: readonly ChatMessage[],
  variables: Readonly<Record<string, unknown>>,
  { addGenerationPrompt = true, switches = {} }: PromptOptions,
): string {
  const given = {
    ...switches,
    ...variables,
    messages,
    add_generation_prompt: addGenerationPrompt,
  };
  try {
    return render(statements, valuesOf({ ...nothingToUse, ...given }));
  } catch (error) {
    // Llama.cpp leaves these names out, and some templates are written for that.
    if (!(error instanceof TemplateFault)) throw error;
    return renderOr(statements, given, error);
  }
}

/** Transformers gives these to every template; None says that there are none. */
const nothingToUse = { tools: null, documents: null };

function renderOr(statements: readonly Statement[], given: object, reason: TemplateFault): string {
  try {
    return render(statements, valuesOf(given));
  } catch {
    throw reason;
  }
}

function valuesOf(given: object): Map<string, Value> {
  const values = Object.entries(given).map(([name, value]): [string, Value] => [
    name,
    fromJson(value),
  ]);
  return new Map(values);
}

function withReason<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof TemplateFault ? error.message : parserFault(error);
    throw new Error(`the model's chat template does not take this conversation: ${reason}`, {
      cause: error,
    });
  }
}
