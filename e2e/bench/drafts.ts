/** Prompt-lookup drafts over emulated links: tokens a lap and ms a token, with drafts and without. */
import type { TabRoom } from '../harness/tab-room.ts';
import { question, repetitiveQuestion } from './room-questions.ts';

export interface DraftFigures {
  delayMs: number;
  prompt: 'repetitive' | 'plain';
  drafts: 'on' | 'off';
  tokensPerLap: number;
  msPerToken: number;
  predictedMsPerToken: number;
}

/** Delays every link of device `a` one way, waits until the room has measured it, and asks. */
export async function measureDrafts(
  room: TabRoom,
  drafts: 'on' | 'off',
  delayMs: number,
): Promise<DraftFigures[]> {
  await emulateDelay(room, delayMs);
  const figures: DraftFigures[] = [];
  for (const prompt of ['repetitive', 'plain'] as const) {
    const request = prompt === 'plain' ? question(0, 64) : repetitiveQuestion(64);
    // The first answer teaches what laps and drafts cost here.
    await room.ask(request);
    const { ids, laps, predictedMsPerToken } = await room.ask(request);
    const decoding = laps.slice(1);
    const totalMs = decoding.reduce((sum, { lapMs }) => sum + lapMs, 0);
    figures.push({
      delayMs,
      prompt,
      drafts,
      tokensPerLap: (ids.length - 1) / decoding.length,
      msPerToken: totalMs / (ids.length - 1),
      predictedMsPerToken,
    });
  }
  return figures;
}

async function emulateDelay(room: TabRoom, delayMs: number): Promise<void> {
  await room.host.evaluate((ms) => {
    const { room: hosted } = edgeshard;
    if (!hosted || !('emulate' in hosted)) throw new Error('this tab hosts no room');
    hosted.emulate('a', ms === 0 ? null : { delayMs: ms, jitterMs: 0, lossRate: 0 });
  }, delayMs);
  await room.host.waitForFunction((ms) => {
    const link = edgeshard.room?.view.devices[1].link;
    return link && Math.abs(link.latencyMs - ms) < 5 + ms / 4;
  }, delayMs);
}
