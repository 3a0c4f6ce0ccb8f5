/** Several answers in flight at once, with the moment at which each lap's tokens came. */
import type { Page } from 'playwright';
import type { AnswerResult, AskRequest } from '../../src/room/room.ts';

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
    const answers = await Promise.all(
      timed.map(async ({ request, afterMs }) => {
        if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
        const tokens: { atMs: number; count: number }[] = [];
        const answer = room.ask(request);
        const stop = room.subscribe((view) => {
          const count = view.answers[answer.id].newTokens;
          if (count > (tokens.at(-1)?.count ?? 0))
            tokens.push({ atMs: performance.now() - startedMs, count });
        });
        const result = await answer.done;
        stop();
        return { result, tokens };
      }),
    );
    return answers;
  }, requests);
}
