/** Who arrives while four answers stream: a newcomer with a short question, and a long prompt. */
import type { TabRoom } from '../../harness/devices/tab-room.ts';
import { askTogether, type TimedAnswer } from '../ask-together.ts';
import type { BenchRooms, StageLength } from '../bench-rooms.ts';
import { idsQuestion } from '../room-questions.ts';
import { median } from '../statistics.ts';

export interface NewcomerFigures {
  stages: StageLength;
  /** To the first token of a short question: asked alone, and while four answers stream; medians. */
  aloneMs: number;
  amongMs: number;
}

export interface LongPromptFigures {
  stages: StageLength;
  chunk: string;
  /** Between two tokens of a running answer: the worst while the prompt was read, and the usual; medians. */
  worstGapMs: number;
  usualGapMs: number;
  /** To the long prompt's own first token. */
  longTtftMs: number;
}

const streaming = 4;
const repeats = 3;
/** The answers are well under way by then. */
const arrivesAfterMs = 500;
const lengths = {
  short: { prompt: 200, answer: 160 },
  long: { prompt: 320, answer: 60 },
};

export async function measureNewcomer(
  rooms: BenchRooms,
  report: (figures: NewcomerFigures) => void,
): Promise<void> {
  for (const stages of ['long', 'short'] as const)
    await rooms.within(stages, 2, {}, async (room) => {
      const alone: number[] = [];
      const among: number[] = [];
      for (let repeat = 0; repeat < repeats; repeat++) {
        // A prompt of its own each time: nothing of it is cached.
        const newcomer = (half: number) => idsQuestion(100 + 2 * repeat + half, 8, 2);
        alone.push((await room.ask(newcomer(0))).ttftMs);
        among.push((await amongAnswers(room, stages, newcomer(1))).arrived.result.ttftMs);
      }
      report({ stages, aloneMs: median(alone), amongMs: median(among) });
    });
}

export async function measureLongPrompt(
  rooms: BenchRooms,
  report: (figures: LongPromptFigures) => void,
): Promise<void> {
  for (const stages of ['long', 'short'] as const)
    await rooms.within(stages, 2, {}, async (room) => {
      const chunks = [
        { chunk: 'measured', prefillChunk: undefined },
        { chunk: 'none', prefillChunk: 4096 },
      ];
      const measured = chunks.map(() => [] as Gaps[]);
      for (let repeat = 0; repeat < repeats; repeat++)
        for (const [index, { prefillChunk }] of chunks.entries())
          measured[index].push(await gapsOf(room, stages, 200 + 2 * repeat + index, prefillChunk));
      for (const [index, { chunk }] of chunks.entries())
        report({
          stages,
          chunk,
          worstGapMs: median(measured[index].map(({ worstMs }) => worstMs)),
          usualGapMs: median(measured[index].map(({ usualMs }) => usualMs)),
          longTtftMs: median(measured[index].map(({ ttftMs }) => ttftMs)),
        });
    });
}

interface Gaps {
  worstMs: number;
  usualMs: number;
  ttftMs: number;
}

async function gapsOf(
  room: TabRoom,
  stages: StageLength,
  index: number,
  prefillChunk: number | undefined,
): Promise<Gaps> {
  const long = idsQuestion(index, lengths[stages].prompt, 2);
  const { running, arrived } = await amongAnswers(room, stages, {
    ...long,
    ...(prefillChunk !== undefined && { prefillChunk }),
  });
  const readMs = arrivesAfterMs + arrived.result.ttftMs;
  const gaps = running.flatMap(({ tokens }) =>
    tokens.slice(1).map(({ atMs }, at) => ({ fromMs: tokens[at].atMs, toMs: atMs })),
  );
  const during = gaps.filter(({ fromMs, toMs }) => toMs >= arrivesAfterMs && fromMs <= readMs);
  const before = gaps.filter(({ toMs }) => toMs < arrivesAfterMs);
  return {
    worstMs: Math.max(...during.map(({ fromMs, toMs }) => toMs - fromMs)),
    usualMs: median(before.map(({ fromMs, toMs }) => toMs - fromMs)),
    ttftMs: arrived.result.ttftMs,
  };
}

async function amongAnswers(
  room: TabRoom,
  stages: StageLength,
  request: ReturnType<typeof idsQuestion>,
): Promise<{ running: TimedAnswer[]; arrived: TimedAnswer }> {
  const answers = await askTogether(room.host, [
    ...Array.from({ length: streaming }, (_, index) => ({
      request: idsQuestion(index, 8, lengths[stages].answer),
      afterMs: 0,
    })),
    { request, afterMs: arrivesAfterMs },
  ]);
  return { running: answers.slice(0, streaming), arrived: answers[streaming] };
}
