import type { LinkEmulation } from '../../../src/transport/index.ts';
import { initialSettings, requestFor } from '../../../src/ui/conversation/sampling-settings.ts';
import type { TabRoom } from '../../harness/devices/tab-room.ts';
import type { BenchRooms } from '../bench-rooms.ts';
import { hopOverheadsMs } from '../lap-figures.ts';
import { question } from '../room-questions.ts';
import { median, quantile } from '../statistics.ts';
import type { AnswerResult, AskRequest } from '../../../src/room/index.ts';

export interface PredictionFigures {
  devices: number;
  links: string;
  /** How tokens are chosen: as the page does unless told, or always the likeliest. */
  choice: 'page' | 'greedy';
  msPerToken: number;
  predictedMsPerToken: number;
  /** Measured / predicted, of each answer by what was known when it began: their median. */
  ratio: number;
  hopP50Ms: number | null;
  hopP95Ms: number | null;
}

const repeats = 9;
/** So many until the browsers have compiled what a token goes through: laps meet their compilers before. */
const warmUpTokens = 1000;
/** One way, of each device's links. */
const slowed: Record<string, number> = { a: 20, b: 5 };

export async function measurePrediction(
  rooms: BenchRooms,
  tokens: number,
  report: (figures: PredictionFigures) => void,
): Promise<void> {
  for (const devices of [1, 2, 3])
    await rooms.within('short', devices, { wire: 'f16' }, async (room) => {
      for (let made = 0; made < warmUpTokens; made += tokens) await room.ask(question(0, tokens));
      const direct = { devices, links: 'as they are' };
      report({ ...direct, choice: 'greedy', ...(await figuresOf(room, question(0, tokens))) });
      report({ ...direct, choice: 'page', ...(await figuresOf(room, pageQuestion(tokens))) });
      if (devices === 1) return;
      const names = Object.keys(slowed).slice(0, devices - 1);
      for (const name of names) await room.emulate(name, delayed(slowed[name]));
      const links = names.map((name) => `${name} +${slowed[name]} ms`).join(', ');
      const asked = question(0, Math.ceil(tokens / 2));
      report({ devices, links, choice: 'greedy', ...(await figuresOf(room, asked)) });
    });
}

/** Sampled as the page does it, but with the same tokens each time. */
function pageQuestion(tokens: number): AskRequest {
  const { prompt } = question(0, tokens);
  return { ...requestFor('', { ...initialSettings, seed: 1, maxNewTokens: tokens }), prompt };
}

export function delayed(delayMs: number): LinkEmulation {
  return { delayMs, jitterMs: 0, lossRate: 0 };
}

async function figuresOf(
  room: TabRoom,
  asked: AskRequest,
): Promise<Omit<PredictionFigures, 'devices' | 'links' | 'choice'>> {
  await room.ask(asked);
  const answers: AnswerResult[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) answers.push(await room.ask(asked));
  const overheads = hopOverheadsMs(answers.flatMap(({ laps }) => laps.slice(1)));
  return {
    msPerToken: median(answers.map((answer) => answer.msPerToken)),
    predictedMsPerToken: median(answers.map((answer) => answer.predictedMsPerToken)),
    ratio: median(answers.map((answer) => answer.msPerToken / answer.predictedMsPerToken)),
    hopP50Ms: overheads.length > 0 ? median(overheads) : null,
    hopP95Ms: overheads.length > 0 ? quantile(overheads, 0.95) : null,
  };
}
