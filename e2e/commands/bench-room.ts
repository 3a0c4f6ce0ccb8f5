/** `npm run bench:room [-- --only NAME,…] [--json]`: a room under load, measured in real tabs. Nothing here passes or fails. */
import { parseArgs } from 'node:util';
import { defaultModel } from '../../src/model/catalogue.ts';
import { measureLongPrompt, measureNewcomer } from '../bench/room/arrivals.ts';
import { benchRooms, type BenchRooms } from '../bench/bench-rooms.ts';
import { onStand, runCommand, say, wholeNumber } from '../bench/bench-stand.ts';
import { limitWorkers } from '../bench/core-share.ts';
import { measureDrafts } from '../bench/room/drafts.ts';
import { measurePipelines } from '../bench/room/pipelines.ts';
import { measurePrediction } from '../bench/room/prediction.ts';
import { measureSoak } from '../bench/room/soak.ts';
import { liveTable } from '../bench/table.ts';
import { measureThroughput } from '../bench/room/throughput.ts';

interface Section {
  title: string;
  /** Tokens of an answer, or of the soak, unless told otherwise. */
  tokens: number;
  run: (rooms: BenchRooms, tokens: number, report: (row: object) => void) => Promise<void>;
}

const sections = {
  prediction: {
    title:
      'Measured beside predicted, and what a hop costs over its compute and half its round trip',
    tokens: 96,
    run: measurePrediction,
  },
  throughput: {
    title: '2 devices of one thread; shares of 1 / what the busiest of them computes for a token',
    tokens: 48,
    run: measureThroughput,
  },
  newcomer: {
    title: 'First token of a newcomer while four answers stream',
    tokens: 0,
    run: (rooms, _tokens, report) => measureNewcomer(rooms, report),
  },
  pipelines: {
    title: 'Bubbles and no-bubbles, one by one, beside the simulator',
    tokens: 48,
    run: measurePipelines,
  },
  prompt: {
    title: 'A long prompt while four answers stream, in chunks and whole',
    tokens: 0,
    run: (rooms, _tokens, report) => measureLongPrompt(rooms, report),
  },
  drafts: {
    title: 'Drafts over a slowed link, by turns with none',
    tokens: 40,
    run: measureDrafts,
  },
  soak: {
    title: '3 devices, four answers in flight all the time, by quarters',
    tokens: 10_000,
    run: measureSoak,
  },
} satisfies Record<string, Section>;

type SectionName = keyof typeof sections;
const names = Object.keys(sections).filter(isSection);

const usage = `Usage: npm run bench:room -- [options]

  --only NAMES     of ${names.join(', ')} (default: all), with commas between
  --model NAME     the model with short stages (default: ${defaultModel})
  --tokens N       tokens of each answer; with --only soak, of the whole soak
  --core-share S   each tab's workers compute with so much of a core, 0.1 to 1: see bench/core-share.ts
  --json           one object on standard output and nothing else
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      model: { type: 'string', default: defaultModel },
      tokens: { type: 'string' },
      'core-share': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const chosen = values.only === undefined ? names : chosenSections(values.only);
  const tokens = values.tokens === undefined ? null : wholeNumber(values.tokens, '--tokens');
  const share = values['core-share'] === undefined ? null : shareOfCore(values['core-share']);
  await onStand(values.model, async ({ browser, served, machine }) => {
    const rooms = benchRooms(browser, served, say);
    const measured: Partial<Record<SectionName, object[]>> = {};
    const print = (line: string): void => (values.json ? say(line) : console.log(line));
    print(share === null ? machine : `${machine}; each device's workers on ${share} of a core`);
    const limit = share === null ? null : await limitWorkers(browser, share);
    try {
      for (const name of chosen) {
        const { title, tokens: usual, run }: Section = sections[name];
        print(`\n${name}: ${title}`);
        const rows: object[] = (measured[name] = []);
        const show = liveTable(print);
        await run(rooms, tokens ?? usual, (row) => {
          rows.push(row);
          show({ ...row });
        });
      }
    } finally {
      await rooms.close();
      await limit?.end();
    }
    if (values.json) console.log(JSON.stringify({ machine, ...measured }));
  });
}

function shareOfCore(given: string): number {
  const share = Number(given);
  if (share >= 0.1 && share <= 1) return share;
  throw new Error(`--core-share must be from 0.1 to 1, not ${given}.`);
}

/** Throws one sentence for a name that is none. */
function chosenSections(given: string): SectionName[] {
  return given.split(',').map((name) => {
    if (isSection(name)) return name;
    throw new Error(`--only takes ${names.join(', ')}, with commas between, not ${name}.`);
  });
}

function isSection(name: string): name is SectionName {
  return Object.hasOwn(sections, name);
}

runCommand(main);
