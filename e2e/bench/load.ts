/** A room under load: throughput by answers in flight, bubbles, a newcomer's wait, a long prompt among answers. */
import type { HostOptions } from '../../src/room/room.ts';
import type { TabRoom } from '../harness/tab-room.ts';
import { askTogether, type TimedAnswer } from './ask-together.ts';
import { longQuestion, question } from './room-questions.ts';
import { median } from './statistics.ts';

export type OpenRoom = (host: Partial<HostOptions>) => Promise<TabRoom>;

export interface ThroughputFigures {
  inFlight: number;
  pipeline: string;
  tokensPerSecond: number;
  /** 1 / the slowest stage's own time, as measured in the same run with one answer in flight. */
  boundPerSecond: number;
  share: number;
}

/** Tokens a second with so many answers in flight, beside what the slowest stage allows one by one. */
export async function measureThroughput(
  room: TabRoom,
  pipeline: string,
  counts: readonly number[],
  tokens: number,
): Promise<ThroughputFigures[]> {
  const [alone] = await askTogether(room.host, [{ request: question(0, tokens), afterMs: 0 }]);
  const boundPerSecond = 1000 / slowestDeviceMs(alone, await stageDevices(room));
  const figures: ThroughputFigures[] = [];
  for (const inFlight of counts) {
    const answers = await askTogether(
      room.host,
      Array.from({ length: inFlight }, (_, index) => ({
        request: question(index, tokens),
        afterMs: 0,
      })),
    );
    const written = answers.reduce((sum, { result }) => sum + result.ids.length, 0);
    const lastMs = Math.max(...answers.map((answer) => answer.tokens.at(-1)?.atMs ?? 0));
    const tokensPerSecond = (1000 * written) / lastMs;
    const share = tokensPerSecond / boundPerSecond;
    figures.push({ inFlight, pipeline, tokensPerSecond, boundPerSecond, share });
  }
  return figures;
}

/** Which device each stage of the running plan is on. */
async function stageDevices(room: TabRoom): Promise<string[]> {
  return ((await room.view()).plan?.stages ?? []).map(({ device }) => device);
}

function slowestDeviceMs({ result }: TimedAnswer, devices: string[]): number {
  const laps = result.laps.slice(1);
  const busyMs = new Map<string, number>();
  for (const [stage, device] of devices.entries()) {
    const stageMs = median(laps.map(({ hops }) => hops[stage].computeMs));
    busyMs.set(device, (busyMs.get(device) ?? 0) + stageMs);
  }
  return Math.max(...busyMs.values());
}

export interface LongPromptFigures {
  chunk: string;
  /** Between two tokens of the same running answer, ms: the worst while the prompt was read. */
  worstGapMs: number;
  usualGapMs: number;
  longTtftMs: number;
}

/** Four answers stream; a long prompt arrives. */
export async function measureLongPrompt(
  room: TabRoom,
  promptTokens: number,
  chunk: number | null,
): Promise<LongPromptFigures> {
  const streaming = Array.from({ length: 4 }, (_, index) => ({
    request: question(index, 120),
    afterMs: 0,
  }));
  const answers = await askTogether(room.host, [
    ...streaming,
    { request: longQuestion(promptTokens, chunk), afterMs: 400 },
  ]);
  const gaps = answers
    .slice(0, 4)
    .flatMap(({ tokens }) =>
      tokens.slice(1).map(({ atMs }, index) => ({ atMs, gapMs: atMs - tokens[index].atMs })),
    );
  const readFromMs = 400;
  const readToMs = answers[4].tokens.at(0)?.atMs ?? Infinity;
  const during = gaps.filter(({ atMs }) => atMs >= readFromMs && atMs - 1000 <= readToMs);
  return {
    chunk: chunk === null ? 'measured' : String(chunk),
    worstGapMs: Math.max(...during.map(({ gapMs }) => gapMs)),
    usualGapMs: median(gaps.map(({ gapMs }) => gapMs)),
    longTtftMs: answers[4].result.ttftMs,
  };
}

/** How long a newcomer waits for the first token while so many answers stream, and alone; ms. */
export async function measureNewcomer(
  room: TabRoom,
  streaming: number,
): Promise<{ aloneMs: number; amongMs: number }> {
  const newcomer = { request: question(7, 4), afterMs: 0 };
  const [alone] = await askTogether(room.host, [newcomer]);
  const answers = await askTogether(room.host, [
    ...Array.from({ length: streaming }, (_, index) => ({
      request: question(index, 100),
      afterMs: 0,
    })),
    { ...newcomer, afterMs: 400 },
  ]);
  return {
    aloneMs: alone.result.ttftMs,
    amongMs: answers.at(-1)?.result.ttftMs ?? NaN,
  };
}
