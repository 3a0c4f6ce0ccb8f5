/** Measured ms a token beside the plan's, and what a hop costs, with links as they are and slowed down. */
import type { AnswerResult } from '../../src/room/room.ts';
import type { LinkEmulation } from '../../src/transport/index.ts';
import type { TabRoom } from '../harness/tab-room.ts';
import type { BenchRooms } from './bench-rooms.ts';
import { hopOverheadsMs } from './lap-figures.ts';
import { question } from './room-questions.ts';
import { median, quantile } from './statistics.ts';

export interface PredictionFigures {
  devices: number;
  links: string;
  msPerToken: number;
  predictedMsPerToken: number;
  /** Measured / predicted, of each answer by what was known when it began: their median. */
  ratio: number;
  hopP50Ms: number | null;
  hopP95Ms: number | null;
}

const repeats = 3;
/** One way, of each device's links. */
const slowed: Record<string, number> = { a: 20, b: 5 };

export async function measurePrediction(
  rooms: BenchRooms,
  tokens: number,
  report: (figures: PredictionFigures) => void,
): Promise<void> {
  for (const devices of [1, 2, 3])
    await rooms.within('short', devices, { wire: 'f16' }, async (room) => {
      report(await figuresOf(room, devices, 'as they are', tokens));
      if (devices === 1) return;
      const names = Object.keys(slowed).slice(0, devices - 1);
      for (const name of names) await room.emulate(name, delayed(slowed[name]));
      const links = names.map((name) => `${name} +${slowed[name]} ms`).join(', ');
      report(await figuresOf(room, devices, links, Math.ceil(tokens / 2)));
    });
}

export function delayed(delayMs: number): LinkEmulation {
  return { delayMs, jitterMs: 0, lossRate: 0 };
}

async function figuresOf(
  room: TabRoom,
  devices: number,
  links: string,
  tokens: number,
): Promise<PredictionFigures> {
  await room.ask(question(0, tokens));
  const answers: AnswerResult[] = [];
  for (let repeat = 0; repeat < repeats; repeat++)
    answers.push(await room.ask(question(0, tokens)));
  const msPerToken = median(answers.map((answer) => answer.msPerToken));
  const predictedMsPerToken = median(answers.map((answer) => answer.predictedMsPerToken));
  const overheads = hopOverheadsMs(answers.flatMap(({ laps }) => laps.slice(1)));
  return {
    devices,
    links,
    msPerToken,
    predictedMsPerToken,
    ratio: median(answers.map((answer) => answer.msPerToken / answer.predictedMsPerToken)),
    hopP50Ms: overheads.length > 0 ? median(overheads) : null,
    hopP95Ms: overheads.length > 0 ? quantile(overheads, 0.95) : null,
  };
}
