/** Several answers in flight at once, with the moment at which each lap's tokens came. */
import type { Page } from 'playwright';
import type { AnswerResult, AskRequest } from '../../src/room/index.ts';

export interface TimedAnswer {
  result: AnswerResult;
  /** When tokens came, ms since the first question was asked, and how many there were then. */
  tokens: { atMs: number; count: number }[];
}

export interface TimedRequest {
  request: AskRequest;
  /** Asked this long after the first, ms. */
  afterMs: number;
}

export function askTogether(host: Page, requests: TimedRequest[]): Promise<TimedAnswer[]> {
  return host.evaluate(async (timed) => {
    const { room } = edgeshard;
    if (!room) throw new Error('this tab is in no room');
    const startedMs = performance.now();
    const asked = new Map<number, { atMs: number; count: number }[]>();
    const stop = room.subscribe(({ answers }) => {
      for (const [id, tokens] of asked) {
        const count = answers[id].newTokens;
        if (count > (tokens.at(-1)?.count ?? 0))
          tokens.push({ atMs: performance.now() - startedMs, count });
      }
    });
    try {
      return await Promise.all(
        timed.map(async ({ request, afterMs }) => {
          if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
          const answer = room.ask(request);
          const tokens: { atMs: number; count: number }[] = [];
          asked.set(answer.id, tokens);
          return { result: await answer.done, tokens };
        }),
      );
    } finally {
      stop();
    }
  }, requests);
}

/**
 * Tokens a second of all answers together while every one of them was writing: from the moment at which the
 * last of them began to the moment at which the first one ended. NaN where some ended before others began.
 */
export function steadyTokensPerSecond(answers: readonly TimedAnswer[]): number {
  const fromMs = Math.max(...answers.map(({ tokens }) => tokens[0].atMs));
  const toMs = Math.min(...answers.map(({ tokens }) => tokens[tokens.length - 1].atMs));
  if (toMs <= fromMs) return NaN;
  const written = answers.reduce(
    (sum, { tokens }) => sum + countAt(tokens, toMs) - countAt(tokens, fromMs),
    0,
  );
  return (1000 * written) / (toMs - fromMs);
}

function countAt(tokens: TimedAnswer['tokens'], ms: number): number {
  return tokens.findLast(({ atMs }) => atMs <= ms)?.count ?? 0;
}
