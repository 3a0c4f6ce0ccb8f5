/** Tokens a second by answers in flight, beside what the slowest device allows one by one; one by one and batched. */
import type { TabRoom } from '../harness/tab-room.ts';
import { askTogether, steadyTokensPerSecond } from './ask-together.ts';
import type { BenchRooms } from './bench-rooms.ts';
import { busiestDeviceMs, slowestDeviceMs } from './lap-figures.ts';
import { lastingQuestions } from './room-questions.ts';

export interface ThroughputFigures {
  stages: string;
  batching: 'off' | 'on';
  inFlight: number;
  /** What the busiest device computes for a token while one answer is in flight, and for a batch while these are. */
  slowestAloneMs: number;
  slowestMs: number;
  tokensPerSecond: number;
  /** 1 / the lesser of these two: a core that idles between tokens may take longer for each. */
  boundPerSecond: number;
  share: number;
  /**
   * Part of the time that the busiest device computed, one by one: below the share's 1 it is what the pipeline
   * leaves unused; the rest is stages that take longer when the other device computes too.
   */
  busy: number | null;
}

const counts = [1, 2, 4, 8, 16];
const promptTokens = 8;

export async function measureThroughput(
  rooms: BenchRooms,
  tokens: number,
  report: (figures: ThroughputFigures) => void,
): Promise<void> {
  for (const stages of ['long', 'short'] as const)
    for (const batching of ['off', 'on'] as const)
      await rooms.within(stages, 2, batching === 'off' ? { maxBatch: 1 } : {}, (room) =>
        // Answers of short stages are over before the last of many has begun, unless they are longer.
        measureCounts(room, batching === 'on', stages === 'long' ? tokens : 3 * tokens, (figures) =>
          report({ stages, batching, ...figures }),
        ),
      );
}

async function measureCounts(
  room: TabRoom,
  isBatched: boolean,
  tokens: number,
  report: (figures: Omit<ThroughputFigures, 'stages' | 'batching'>) => void,
): Promise<void> {
  const devices = (await room.view()).plan?.stages ?? [];
  let slowestAloneMs = NaN;
  const questions = await lastingQuestions(room, Math.max(...counts), promptTokens, tokens);
  for (const inFlight of counts) {
    const answers = await askTogether(
      room.host,
      questions.slice(0, inFlight).map((request) => ({ request, afterMs: 0 })),
    );
    const laps = answers.flatMap(({ result }) => result.laps.slice(1));
    const slowestMs = slowestDeviceMs(laps, devices);
    if (inFlight === 1) slowestAloneMs = slowestMs;
    const tokensPerSecond = steadyTokensPerSecond(answers);
    const boundPerSecond = 1000 / Math.min(slowestAloneMs, slowestMs);
    const share = tokensPerSecond / boundPerSecond;
    report({
      inFlight,
      slowestAloneMs,
      slowestMs,
      tokensPerSecond,
      boundPerSecond,
      share,
      busy: isBatched ? null : (tokensPerSecond * busiestDeviceMs(laps, devices)) / 1000,
    });
  }
}
