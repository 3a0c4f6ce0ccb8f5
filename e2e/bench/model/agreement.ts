import type { TabRoom } from '../../harness/devices/tab-room.ts';
import { median } from '../statistics.ts';
import { greedy } from '../../../src/room/host/decoding/sampler.ts';

export interface KnownAnswer {
  promptIds: number[];
  greedyIds: number[];
}

export interface Agreement {
  /** Answers written greedily that are equal to the known one to the last id. */
  equalAnswers: number;
  answers: number;
  /** Share of positions where, given the known text so far, the likeliest token is the known one. */
  topOneAgreement: number;
  positions: number;
  /** Median over the answers. */
  msPerToken: number;
  /** Of the first answer, whose prompt nobody has read before. */
  ttftMs: number;
}

export async function measureAgreement(
  room: TabRoom,
  cases: readonly KnownAnswer[],
  say: (step: string) => void,
): Promise<Agreement> {
  let equalAnswers = 0;
  let agreeing = 0;
  let positions = 0;
  const written: { msPerToken: number; ttftMs: number }[] = [];
  const ask = (ids: number[], maxNewTokens: number) =>
    room.ask({ prompt: { kind: 'ids', ids }, sampling: greedy, maxNewTokens, topLogits: 1 });
  for (const [index, { promptIds, greedyIds }] of cases.entries()) {
    say(`Answer ${index + 1} of ${cases.length}`);
    const answer = await ask(promptIds, greedyIds.length);
    written.push(answer);
    if (answer.ids.join() === greedyIds.join()) {
      // Every position was given the known text: nothing is left to ask.
      equalAnswers++;
      agreeing += greedyIds.length;
    } else {
      for (const [at, expected] of greedyIds.entries()) {
        const { topLogits } = await ask([...promptIds, ...greedyIds.slice(0, at)], 1);
        if (topLogits[0][0][0] === expected) agreeing++;
      }
    }
    positions += greedyIds.length;
  }
  return {
    equalAnswers,
    answers: cases.length,
    topOneAgreement: agreeing / positions,
    positions,
    msPerToken: median(written.map(({ msPerToken }) => msPerToken)),
    ttftMs: written[0].ttftMs,
  };
}
