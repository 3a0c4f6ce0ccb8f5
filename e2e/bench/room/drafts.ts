import type { TabRoom } from '../../harness/devices/tab-room.ts';
import type { BenchRooms } from '../bench-rooms.ts';
import { delayed } from './prediction.ts';
import { question, repetitiveQuestion } from '../room-questions.ts';
import { median } from '../statistics.ts';
import type { AnswerResult, AskRequest } from '../../../src/room/index.ts';

export interface DraftFigures {
  /** Added to the link between the two devices, one way. */
  delayMs: number;
  prompt: 'repetitive' | 'plain';
  tokensPerLap: number;
  msPerToken: number;
  /** Without drafts. */
  plainMsPerToken: number;
  /** How many times faster with them; medians of answers given by turns. */
  gain: number;
}

const delaysMs = [0, 20, 50, 100];
/** Without a delay laps are short, and noise is a larger part of them. */
const repeatsAt = (delayMs: number): number => (delayMs === 0 ? 9 : 3);

export async function measureDrafts(
  rooms: BenchRooms,
  tokens: number,
  report: (figures: DraftFigures) => void,
): Promise<void> {
  await rooms.within('short', 2, { speculation: true }, async (room) => {
    for (const delayMs of delaysMs) {
      await room.emulate('a', delayMs === 0 ? null : delayed(delayMs));
      for (const prompt of ['repetitive', 'plain'] as const)
        report({
          delayMs,
          prompt,
          ...(await comparison(room, prompt, tokens, repeatsAt(delayMs))),
        });
    }
  });
}

async function comparison(
  room: TabRoom,
  prompt: DraftFigures['prompt'],
  tokens: number,
  repeats: number,
): Promise<Omit<DraftFigures, 'delayMs' | 'prompt'>> {
  const request = prompt === 'plain' ? question(0, tokens) : repetitiveQuestion(tokens);
  const drafted: AnswerResult[] = [];
  const plain: AnswerResult[] = [];
  // The first of each teaches what laps and drafts cost here.
  for (let repeat = 0; repeat <= repeats; repeat++) {
    plain.push(await answer(room, request, false));
    drafted.push(await answer(room, request, true));
  }
  const msPerToken = median(drafted.slice(1).map(decodeMsPerToken));
  const plainMsPerToken = median(plain.slice(1).map(decodeMsPerToken));
  const tokensPerLap = median(
    drafted.slice(1).map(({ ids, laps }) => (ids.length - 1) / (laps.length - 1)),
  );
  return { tokensPerLap, msPerToken, plainMsPerToken, gain: plainMsPerToken / msPerToken };
}

function answer(room: TabRoom, request: AskRequest, speculation: boolean): Promise<AnswerResult> {
  return room.ask({ ...request, speculation });
}

function decodeMsPerToken({ laps, ids }: AnswerResult): number {
  const totalMs = laps.slice(1).reduce((sum, { lapMs }) => sum + lapMs, 0);
  return totalMs / (ids.length - 1);
}
