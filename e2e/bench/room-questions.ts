import type { TabRoom } from '../harness/devices/tab-room.ts';
import { greedy } from '../../src/room/host/decoding/sampler.ts';
import type { AskRequest } from '../../src/room/index.ts';

const beginnings = [
  'Once upon a time',
  'Lily and Tom found a big red',
  'The little robot wanted to',
  'One day, a cat named Whiskers',
  'It was raining, so the children',
  'A small bird sat on',
  'Mom said that',
  'In the garden there was',
];

/** The index-th of many different questions. */
export function question(index: number, maxNewTokens: number): AskRequest {
  const text = beginnings[index % beginnings.length];
  return { prompt: { kind: 'text', text }, sampling: greedy, maxNewTokens, topLogits: 0 };
}

/** A text that repeats itself: what prompt-lookup drafts are made for. */
export function repetitiveQuestion(maxNewTokens: number): AskRequest {
  const text = 'Tom said hello. Lily said hello. '.repeat(6) + 'Tom said';
  return { prompt: { kind: 'text', text }, sampling: greedy, maxNewTokens, topLogits: 0 };
}

/** Arbitrary ids for a model without words: the index-th of many different prompts of so many tokens. */
export function idsQuestion(index: number, tokens: number, maxNewTokens: number): AskRequest {
  const ids = Array.from({ length: tokens }, (_, at) => 300 + ((at * 7 + index * 131) % 997));
  return { prompt: { kind: 'ids', ids }, sampling: greedy, maxNewTokens, topLogits: 0 };
}

/** So many different questions of `idsQuestion` whose answers take all their tokens: the room is asked each, alone. */
export async function lastingQuestions(
  { ask }: Pick<TabRoom, 'ask'>,
  count: number,
  tokens: number,
  maxNewTokens: number,
): Promise<AskRequest[]> {
  const lasting: AskRequest[] = [];
  for (let index = 0; lasting.length < count; index++) {
    if (index === 8 * count)
      throw new Error(
        `Too few answers of this model go on for ${maxNewTokens} tokens: ask for fewer.`,
      );
    const request = idsQuestion(index, tokens, maxNewTokens);
    if ((await ask(request)).because === 'length') lasting.push(request);
  }
  return lasting;
}
