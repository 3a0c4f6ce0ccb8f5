/** Many tokens over three devices: memory, drift, and ids that stay what they are alone. */
import type { Page } from 'playwright';
import type { TabRoom } from '../../harness/devices/tab-room.ts';
import { askTogether } from '../ask-together.ts';
import type { BenchRooms } from '../bench-rooms.ts';
import { rendererMemory } from '../process-memory.ts';
import { question } from '../room-questions.ts';
import { median } from '../statistics.ts';

export interface SoakFigures {
  /** Which quarter of the run, 1 to 4. */
  quarter: number;
  tokens: number;
  /** Median over the answers of this quarter. */
  msPerToken: number;
  /** At the quarter's end, of all tabs together: JavaScript and WebAssembly, workers included, after a collection. */
  heapMb: number;
  /** Of their processes. */
  residentMb: number | null;
  /** Answers whose ids differ from those of the same question asked alone. */
  differing: number;
}

const inFlight = 4;
const tokensPerAnswer = 100;
const devices = 3;

export async function measureSoak(
  rooms: BenchRooms,
  tokens: number,
  report: (figures: SoakFigures) => void,
): Promise<void> {
  const memory = await rendererMemory(rooms.browser);
  const before = new Set(await memory.renderers());
  await rooms.within('short', devices, {}, async (room) => {
    const tabs = (await memory.renderers()).filter((id) => !before.has(id));
    const residentMb = async (): Promise<number | null> => {
      const sizes = await Promise.all(tabs.map((id) => memory.residentBytes(id)));
      return sizes.includes(null) ? null : sum(sizes.map((bytes) => bytes ?? 0)) / 1e6;
    };
    const alone: string[] = [];
    for (let index = 0; index < inFlight; index++)
      alone.push((await room.ask(question(index, tokensPerAnswer))).ids.join());
    const rounds = Math.ceil(tokens / (4 * inFlight * tokensPerAnswer));
    for (const quarter of [1, 2, 3, 4]) {
      const { msPerToken, written, differing } = await roundsOf(room, rounds, alone);
      const heaps = await Promise.all([room.host, ...room.devices].map(heapMb));
      report({
        quarter,
        tokens: written,
        msPerToken,
        heapMb: sum(heaps),
        residentMb: await residentMb(),
        differing,
      });
    }
  });
}

async function roundsOf(
  room: TabRoom,
  rounds: number,
  alone: readonly string[],
): Promise<{ msPerToken: number; written: number; differing: number }> {
  const msPerToken: number[] = [];
  let written = 0;
  let differing = 0;
  for (let round = 0; round < rounds; round++) {
    const answers = await askTogether(
      room.host,
      alone.map((_, index) => ({ request: question(index, tokensPerAnswer), afterMs: 0 })),
    );
    for (const [index, { result }] of answers.entries()) {
      msPerToken.push(result.msPerToken);
      written += result.ids.length;
      if (result.ids.join() !== alone[index]) differing++;
    }
  }
  return { msPerToken: median(msPerToken), written, differing };
}

/** The browser answers with its next collection, within half a minute. */
async function heapMb(page: Page): Promise<number> {
  const bytes = await page.evaluate(async () => {
    const measure: unknown = Reflect.get(performance, 'measureUserAgentSpecificMemory');
    if (typeof measure !== 'function') return NaN;
    const measured: unknown = await Reflect.apply(measure, performance, []);
    const isMeasured = typeof measured === 'object' && measured !== null && 'bytes' in measured;
    return isMeasured ? Number(measured.bytes) : NaN;
  });
  return bytes / 1e6;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
