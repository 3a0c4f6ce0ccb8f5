import type { TabRoom } from '../../harness/devices/tab-room.ts';
import { askTogether, steadyTokensPerSecond } from '../ask-together.ts';
import type { BenchRooms, StageLength } from '../bench-rooms.ts';
import { busiestDeviceMs, slowestDeviceMs } from '../lap-figures.ts';
import { lastingQuestions } from '../room-questions.ts';
import type { HostOptions, LapTiming } from '../../../src/room/index.ts';

interface Run {
  laps: LapTiming[];
  tokensPerSecond: number;
}

export interface ThroughputFigures {
  stages: StageLength;
  weights: HostOptions['weights'];
  batching: 'off' | 'on';
  inFlight: number;
  tokensPerSecond: number;
  /** What the busiest device computes for a token, mean over all laps but each answer's first; null in batches. */
  stageMs: number | null;
  /** Of 1 / that: no pipeline answers faster, one by one. */
  share: number | null;
  /**
   * Of 1 / what the busiest device computes for a token while it is the only one that computes. Devices that share
   * a machine share its cores with all pages and sockets, and the way to its memory; devices of their own do not.
   */
  shareAlone: number;
  /** Times the tokens a second one by one. */
  gain: number | null;
}

const counts = [1, 2, 4, 8, 16];
/** Of so many measurements the one with the middle speed counts. */
const repeats = 3;
const promptTokens = 8;

/**
 * The long stages once more with weights in 8 bits: they hardly read memory, so that two of them on one machine
 * slow each other down little.
 */
const kinds = [
  { stages: 'long', weights: 'q8' },
  { stages: 'long', weights: 'f32' },
  { stages: 'short', weights: 'f32' },
] as const;

export async function measureThroughput(
  rooms: BenchRooms,
  tokens: number,
  report: (figures: ThroughputFigures) => void,
): Promise<void> {
  for (const kind of kinds) {
    const oneByOne = new Map<number, number>();
    // Answers of short stages are over before the last of many has begun, unless they are longer.
    const each = kind.stages === 'long' ? tokens : 3 * tokens;
    for (const batching of ['off', 'on'] as const) {
      const host: Partial<HostOptions> = {
        weights: kind.weights,
        wire: 'f16',
        ...(batching === 'off' && { maxBatch: 1 }),
      };
      await rooms.within(kind.stages, 2, host, (room) =>
        measureCounts(room, batching, each, (figures) => {
          const { inFlight, tokensPerSecond } = figures;
          if (batching === 'off') oneByOne.set(inFlight, tokensPerSecond);
          const gain = batching === 'on' ? tokensPerSecond / (oneByOne.get(inFlight) ?? NaN) : null;
          report({ ...kind, ...figures, gain });
        }),
      );
    }
  }
}

async function measureCounts(
  room: TabRoom,
  batching: ThroughputFigures['batching'],
  tokens: number,
  report: (figures: Omit<ThroughputFigures, 'stages' | 'weights' | 'gain'>) => void,
): Promise<void> {
  const devices = (await room.view()).plan?.stages ?? [];
  const questions = await lastingQuestions(room, Math.max(...counts), promptTokens, tokens);
  let aloneMs = NaN;

  async function measure(inFlight: number): Promise<Run> {
    const answers = await askTogether(
      room.host,
      questions.slice(0, inFlight).map((request) => ({ request, afterMs: 0 })),
    );
    const tokensPerSecond = steadyTokensPerSecond(answers);
    if (Number.isNaN(tokensPerSecond))
      throw new Error(
        `${inFlight} answers of ${tokens} tokens were never all in flight: ask for more with --tokens.`,
      );
    return { laps: answers.flatMap(({ result }) => result.laps.slice(1)), tokensPerSecond };
  }

  for (const inFlight of counts) {
    const runs: Run[] = [];
    while (runs.length < repeats) runs.push(await measure(inFlight));
    runs.sort((a, b) => a.tokensPerSecond - b.tokensPerSecond);
    const { laps, tokensPerSecond } = runs[repeats >> 1];
    if (inFlight === 1) aloneMs = slowestDeviceMs(laps, devices);
    const stageMs = batching === 'off' ? busiestDeviceMs(laps, devices) : null;
    report({
      batching,
      inFlight,
      tokensPerSecond,
      stageMs,
      share: stageMs === null ? null : (tokensPerSecond * stageMs) / 1000,
      shareAlone: (tokensPerSecond * aloneMs) / 1000,
    });
  }
}
