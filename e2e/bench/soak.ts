/** Many tokens over three devices: memory, drift, and ids that stay the same. */
import type { TabRoom } from '../harness/tab-room.ts';
import { askTogether } from './ask-together.ts';
import { question } from './room-questions.ts';
import { median } from './statistics.ts';

export interface SoakFigures {
  tokens: number;
  /** Median ms between an answer's tokens in the first and the last tenth of the rounds. */
  firstMsPerToken: number;
  lastMsPerToken: number;
  /** JavaScript heap of the host after the first round and after the last, MB. */
  firstHeapMb: number | null;
  lastHeapMb: number | null;
  /** Answers whose ids differ from those of the same question asked alone. */
  differing: number;
}

export async function soak(room: TabRoom, tokens: number): Promise<SoakFigures> {
  const inFlight = 4;
  const perAnswer = 100;
  const alone: string[] = [];
  for (let index = 0; index < inFlight; index++)
    alone.push((await room.ask(question(index, perAnswer))).ids.join());
  const rounds = Math.ceil(tokens / (inFlight * perAnswer));
  const msPerToken: number[] = [];
  let written = 0;
  let differing = 0;
  let firstHeapMb: number | null = null;
  for (let round = 0; round < rounds; round++) {
    const answers = await askTogether(
      room.host,
      alone.map((_, index) => ({ request: question(index, perAnswer), afterMs: 0 })),
    );
    msPerToken.push(median(answers.map(({ result }) => result.msPerToken)));
    for (const [index, { result }] of answers.entries()) {
      written += result.ids.length;
      if (result.ids.join() !== alone[index]) differing++;
    }
    if (round === 0) firstHeapMb = await heapMb(room);
  }
  const tenth = Math.max(1, Math.floor(rounds / 10));
  return {
    tokens: written,
    firstMsPerToken: median(msPerToken.slice(0, tenth)),
    lastMsPerToken: median(msPerToken.slice(-tenth)),
    firstHeapMb,
    lastHeapMb: await heapMb(room),
    differing,
  };
}

async function heapMb(room: TabRoom): Promise<number | null> {
  const session = await room.host.context().newCDPSession(room.host);
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  const used = metrics.find(({ name }) => name === 'JSHeapUsedSize');
  return used ? used.value / 1e6 : null;
}
