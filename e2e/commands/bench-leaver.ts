/**
 * `npm run bench:leaver [-- --json]`: a device in the middle leaves; how long the answer pauses. And whether anybody is
 * thought gone who is only slow. Nothing here passes or fails.
 */
import { parseArgs } from 'node:util';
import { defaultModel } from '../../src/model/catalogue.ts';
import { onStand, runCommand, say, wholeNumber, type BenchStand } from '../bench/bench-stand.ts';
import { answerBesideLoad, type BusyFigures } from '../bench/leaver/busy-room.ts';
import { median } from '../bench/statistics.ts';
import { liveTable } from '../bench/table.ts';
import { measureFailover, type Departure, type FailoverFigures } from '../bench/leaver/failover.ts';
import { openTabRoom, type TabRoom } from '../harness/devices/tab-room.ts';
import type { DeviceOptions, HostOptions } from '../../src/room/index.ts';
import { deviceName } from '../../src/room/host/membership/members.ts';

interface Room {
  title: string;
  host: Partial<HostOptions>;
  device: Partial<DeviceOptions>;
  /** Whether another device is there, beside the five that compute, and holds what it may need. */
  standby: 'none' | 'cold' | 'warm';
}

/** A block of the default model takes 8.6 MB with its cache, embedding and head 74 MB: two blocks, and one. */
const tight = { host: { memoryBudgetBytes: 98e6 }, device: { memoryBudgetBytes: 12e6 } };
/** Four blocks, and links so slow that the plan does without it while it can. */
const standbyDevice = { backend: 'wasm', threads: 1, memoryBudgetBytes: 40e6 } as const;
const standbyLink = { delayMs: 25, jitterMs: 0, lossRate: 0 };

const inLap = 5;
/** A newcomer measures itself and loads within this, on a busy machine, too. */
const readyMs = 90_000;
const rooms = {
  survivors: {
    title: 'the layers of one go to the other four',
    host: { plan: 'even' },
    device: {},
    standby: 'none',
  },
  cold: {
    title: 'a standby device takes its place, with nothing ready',
    host: { ...tight.host, standby: false },
    device: tight.device,
    standby: 'cold',
  },
  standby: {
    title: 'a standby takes its place',
    host: { ...tight.host, standby: true },
    device: tight.device,
    standby: 'warm',
  },
} satisfies Record<string, Room>;

type RoomName = keyof typeof rooms;
const names = [...Object.keys(rooms), 'busy'];
const busySeconds = 120;
const departures: Departure[] = ['announced', 'killed'];

const usage = `Usage: npm run bench:leaver -- [options]

  --only NAMES   of ${names.join(', ')} (default: all), with commas between;
                 busy: nobody leaves, but the machine has more to do than it can
  --repeats N    departures of each kind in each room (default: 3); medians are shown
  --json         one object on standard output and nothing else
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: names.join(',') },
      repeats: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const chosen = values.only.split(',').map((name) => {
    if (names.includes(name)) return name;
    throw new Error(`--only takes ${names.join(', ')}, with commas between, not ${name}.`);
  });
  const repeats = wholeNumber(values.repeats, '--repeats');
  await onStand(defaultModel, async (stand) => {
    const print = (line: string): void => (values.json ? say(line) : console.log(line));
    print(`${stand.machine}; medians of ${repeats}, ms`);
    const show = liveTable(print);
    const measured: object[] = [];
    for (const name of chosen.filter(isRoomName))
      await inRoom(stand, rooms[name], async (room) => {
        for (const departure of departures) {
          const figures: FailoverFigures[] = [];
          while (figures.length < repeats) {
            say(`${rooms[name].title}: ${departure}, ${figures.length + 1} of ${repeats}`);
            figures.push(await measureFailover(room, departure));
            await room.join();
            await untilReady(room, rooms[name]);
          }
          const row = { room: name, departure, ...medians(figures) };
          measured.push({ ...row, each: figures });
          show(row);
        }
      });
    let busy: BusyFigures | null = null;
    if (chosen.includes('busy'))
      await inRoom(stand, rooms.survivors, async (room) => {
        say('Nobody leaves, on a busy machine');
        busy = await answerBesideLoad(room, busySeconds);
        print('');
        liveTable(print)({ room: 'busy', ...busy });
      });
    if (values.json)
      console.log(JSON.stringify({ machine: stand.machine, repeats, measured, busy }));
  });
}

async function inRoom(
  { browser, served }: BenchStand,
  wanted: Room,
  measure: (room: TabRoom) => Promise<void>,
): Promise<void> {
  const room = await openTabRoom(browser, {
    origin: served.origin,
    devices: inLap,
    device: { backend: 'wasm', threads: 1, ...wanted.device },
    // Drafts would make laps of different lengths.
    host: { model: served.model, weights: 'f32', wire: 'f32', speculation: false, ...wanted.host },
    onStep: say,
  });
  try {
    if (wanted.standby !== 'none') {
      await room.join(standbyDevice);
      await room.emulate(deviceName(inLap - 1), standbyLink);
    }
    await untilReady(room, wanted);
    await measure(room);
  } finally {
    await room.close();
  }
}

/** Waits until five devices compute, and the spare one has what it is to have. */
async function untilReady(room: TabRoom, { standby }: Room): Promise<void> {
  const ready = room.host.waitForFunction(
    ([count, kind, name]) => {
      const { plan, devices } = edgeshard.room?.view ?? {};
      const used = new Set(plan?.stages.map(({ device }) => device));
      const status = devices?.find(({ id }) => id === name)?.status;
      const isReady = status?.kind === 'standby' && status.ready.length > 0;
      return (
        plan?.status === 'running' &&
        used.size === count &&
        !(kind !== 'none' && used.has(name)) &&
        (kind !== 'warm' || isReady)
      );
    },
    [inLap, standby, deviceName(inLap - 1)] as const,
    { timeout: readyMs },
  );
  await ready.catch(async () => {
    const { plan, devices, waitingFor } = await room.view();
    const holders = plan?.stages.map(({ device, first, last }) => `${device}:${first}-${last}`);
    const others = devices.map(({ id, status }) => `${id} ${JSON.stringify(status)}`);
    throw new Error(
      `The room did not come to where it is to be measured: ${plan?.status ?? 'no plan'}, ` +
        `${holders?.join(',') ?? waitingFor?.sentence ?? ''}; ${others.join(', ')}; ${plan?.why ?? ''}`,
    );
  });
}

function medians(figures: FailoverFigures[]): FailoverFigures {
  const of = (name: keyof FailoverFigures): number => median(figures.map((each) => each[name]));
  return {
    pauseMs: of('pauseMs'),
    detectMs: of('detectMs'),
    replanMs: of('replanMs'),
    loadMs: of('loadMs'),
    rebuildMs: of('rebuildMs'),
  };
}

function isRoomName(name: string): name is RoomName {
  return Object.hasOwn(rooms, name);
}

runCommand(main);
