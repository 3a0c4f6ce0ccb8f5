/** The questions that benchmarks ask: plain, repetitive, long. */
import { greedy } from '../../src/room/host/sampler.ts';
import type { AskRequest } from '../../src/room/room.ts';

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

/** A prompt of about so many tokens. */
export function longQuestion(tokens: number, prefillChunk: number | null): AskRequest {
  const ids = Array.from({ length: tokens }, (_, index) => (index === 0 ? 1 : 300 + (index % 97)));
  return {
    prompt: { kind: 'ids', ids },
    sampling: greedy,
    maxNewTokens: 4,
    topLogits: 0,
    ...(prefillChunk !== null && { prefillChunk }),
  };
}
