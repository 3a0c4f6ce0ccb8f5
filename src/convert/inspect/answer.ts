/** Answers what the model would see: the prompt of a conversation, the ids of a text, the text of ids. */
import { errorMessage } from '../../base/error-message.ts';
import {
  chatPrompt,
  renderChat,
  type ChatMessage,
  type ChatModel,
} from '../../model/text/chat-template.ts';
import { withinTime } from '../../model/chat/within-time.ts';
import type { Tokenizer } from '../../model/text/tokenizer.ts';
import type { ModelDescription } from './description.ts';
import type { ModelFacts } from './reading/model-facts.ts';

/** Null for what is not asked. */
export interface Questions {
  messages: readonly ChatMessage[] | null;
  /** Whether the prompt ends with the beginning of the next answer. */
  addGenerationPrompt: boolean;
  text: string | null;
  /** Whether added tokens in the text count as such; else they are letters, as when a person types them. */
  special: boolean;
  ids: readonly number[] | null;
}

type Answers = Pick<ModelDescription, 'prompt' | 'ids' | 'text' | 'refusal'>;

/**
 * The first question without an answer is the refusal, unless the model itself is refused.
 *
 * @param limitMs for each answer: template and tokenizer come with the model, and may come to no end
 */
export function answer(facts: ModelFacts, questions: Questions, limitMs = 10_000): Answers {
  const answers: Answers = { prompt: null, ids: null, text: null, refusal: facts.refusal };
  try {
    const { messages, text, special, ids } = questions;
    if (messages)
      answers.prompt = withinTime('The model’s chat template or its tokenizer', limitMs, () =>
        promptOf(facts, messages, questions),
      );
    if (text !== null) {
      const tokenizer = requireTokenizer(facts, '--text');
      answers.ids = withinTime('The model’s tokenizer', limitMs, () =>
        tokenizer.encode(text, { bos: false, special }),
      );
    }
    if (ids) answers.text = textOf(requireTokenizer(facts, '--ids'), ids);
  } catch (error) {
    answers.refusal ??= errorMessage(error);
  }
  return answers;
}

function promptOf(
  facts: ModelFacts,
  messages: readonly ChatMessage[],
  options: Pick<Questions, 'addGenerationPrompt'>,
): ModelDescription['prompt'] {
  const { chatTemplate, tokenizer } = facts;
  if (chatTemplate === null)
    throw new Error(
      'this model has no chat template, so that --messages has no answer: ask with --text',
    );
  const { config, specialTokens } = facts;
  if (!tokenizer) {
    const { bos_token: bos, eos_token: eos } = specialTokens;
    const spellings = { bos: bos ?? '', eos: eos ?? '' };
    return { text: renderChat(chatTemplate, messages, spellings, options), ids: null };
  }
  const model: ChatModel = {
    chatTemplate,
    title: 'this model',
    config: config ?? { bos_token_id: null, eos_token_id: [] },
    specialTokens,
  };
  return chatPrompt(model, tokenizer, messages, options);
}

function textOf(tokenizer: Tokenizer, ids: readonly number[]): string {
  const unknown = ids.find((id) => tokenizer.idToToken(id) === undefined);
  if (unknown !== undefined)
    throw new Error(`the tokenizer has no token with the id ${unknown}: give other --ids`);
  return tokenizer.decode(ids);
}

function requireTokenizer({ tokenizer }: ModelFacts, option: string): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new Error(
    `no tokenizer could be read here, so that ${option} has no answer: give a folder with a tokenizer.json, or a GGUF file`,
  );
}
