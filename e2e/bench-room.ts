/** `npm run bench:room [-- --json]`: a room under load, measured in real tabs. Nothing here passes or fails. */
import { parseArgs } from 'node:util';
import { defaultModel } from '../src/model/catalogue.ts';
import type { HostOptions } from '../src/room/room.ts';
import { onStand, runCommand, say, wholeNumber } from './bench/bench-stand.ts';
import { measureDrafts, type DraftFigures } from './bench/drafts.ts';
import {
  measureLongPrompt,
  measureNewcomer,
  measureThroughput,
  type LongPromptFigures,
  type ThroughputFigures,
} from './bench/load.ts';
import { soak, type SoakFigures } from './bench/soak.ts';
import { table } from './bench/table.ts';
import { openTabRoom, type TabRoom } from './harness/tab-room.ts';

const usage = `Usage: npm run bench:room -- [--model NAME] [--tokens N] [--soak TOKENS] [--json]`;
const counts = [1, 2, 4, 8, 16];
const delaysMs = [0, 20, 50, 100];

interface Figures {
  machine: string;
  throughput: ThroughputFigures[];
  newcomer: { aloneMs: number; amongMs: number };
  longPrompt: LongPromptFigures[];
  drafts: DraftFigures[];
  soak: SoakFigures | null;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: defaultModel },
      tokens: { type: 'string', default: '80' },
      soak: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  await onStand(values.model, async ({ browser, served, machine }) => {
    const inRoom = async <T>(
      devices: number,
      host: Partial<HostOptions>,
      measure: (room: TabRoom) => Promise<T>,
    ): Promise<T> => {
      const room = await openTabRoom(browser, {
        origin: served.origin,
        devices,
        device: { backend: 'wasm', threads: 1 },
        host: { model: served.model, plan: 'even', weights: 'f32', wire: 'f32', ...host },
      });
      try {
        return await measure(room);
      } finally {
        await room.close();
      }
    };
    const tokens = wholeNumber(values.tokens, '--tokens');
    const throughput: ThroughputFigures[] = [];
    for (const pipeline of ['no-bubbles', 'bubbles'] as const) {
      say(`Throughput over 2 devices, ${pipeline}`);
      const measured = await inRoom(2, { pipeline, speculation: false }, (room) =>
        measureThroughput(room, pipeline, counts, tokens),
      );
      throughput.push(...measured);
      say(table(measured.map((row) => ({ ...row }))));
    }
    say('A newcomer, and a long prompt, among four answers');
    const [newcomer, longPrompt] = await inRoom(2, { speculation: false }, async (room) => [
      await measureNewcomer(room, 4),
      [await measureLongPrompt(room, 200, null), await measureLongPrompt(room, 200, 4096)],
    ]);
    // A long run that is broken off should have said what it knew.
    say(table(longPrompt.map((row) => ({ ...row }))));
    const drafts: DraftFigures[] = [];
    for (const mode of ['off', 'on'] as const)
      for (const delayMs of delaysMs) {
        say(`Drafts ${mode}, ${delayMs} ms`);
        drafts.push(
          ...(await inRoom(2, { speculation: mode === 'on' }, (room) =>
            measureDrafts(room, mode, delayMs),
          )),
        );
      }
    const soakTokens = wholeNumber(values.soak, '--soak', 0);
    const soaked = soakTokens > 0 ? await inRoom(3, {}, (room) => soak(room, soakTokens)) : null;
    const figures = { machine, throughput, newcomer, longPrompt, drafts, soak: soaked };
    console.log(values.json ? JSON.stringify(figures) : text(figures));
  });
}

function text({
  machine,
  throughput,
  newcomer,
  longPrompt,
  drafts,
  soak: soaked,
}: Figures): string {
  const sections = [
    machine,
    'Throughput, 2 devices of one thread; bound = 1 / slowest device, one by one',
    table(throughput.map((row) => ({ ...row }))),
    `A newcomer's first token: ${newcomer.aloneMs.toFixed(0)} ms alone, ` +
      `${newcomer.amongMs.toFixed(0)} ms while four answers stream`,
    'A prompt of 200 tokens while four answers stream',
    table(longPrompt.map((row) => ({ ...row }))),
    'Drafts over a delayed link (one way)',
    table(drafts.map((row) => ({ ...row }))),
    ...(soaked ? ['Soak, 3 devices, 4 answers in flight', table([{ ...soaked }])] : []),
  ];
  return sections.join('\n\n');
}

runCommand(main);
