/** `npm run bench [-- --json]`: rooms of one to three real tabs, measured. Nothing here passes or fails. */
import { parseArgs } from 'node:util';
import { defaultModel } from '../../src/model/catalogue.ts';
import { onStand, runCommand, say, wholeNumber } from '../bench/bench-stand.ts';
import { measureRoom, measureVisits, type RoomFigures } from '../bench/measure-room.ts';
import { table } from '../bench/table.ts';

const usage = `Usage: npm run bench -- [--model NAME|DIRECTORY] [--tokens N] [--repeats N] [--json]`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: defaultModel },
      tokens: { type: 'string', default: '96' },
      repeats: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  await onStand(values.model, async ({ browser, served, machine }) => {
    const { origin, model } = served;
    const rooms: RoomFigures[] = [];
    for (const devices of [1, 2, 3])
      for (const plan of devices === 1 ? (['auto'] as const) : (['even', 'auto'] as const)) {
        say(`${devices} devices, ${plan} plan`);
        const room = { origin, model, devices, plan, weights: 'f32' } as const;
        rooms.push(
          await measureRoom(browser, {
            ...room,
            tokens: wholeNumber(values.tokens, '--tokens'),
            repeats: wholeNumber(values.repeats, '--repeats'),
          }),
        );
      }
    const visits = await measureVisits(browser, { origin, model });
    console.log(
      values.json ? JSON.stringify({ machine, rooms, visits }) : text(machine, rooms, visits),
    );
  });
}

function text(
  machine: string,
  rooms: RoomFigures[],
  visits: Awaited<ReturnType<typeof measureVisits>>,
): string {
  return [
    machine,
    '',
    'Speed: medians, ms. Hop overhead is (lap − compute − round trips / 2) / hops.',
    table(
      rooms.map((room) => ({
        devices: room.devices,
        plan: room.plan,
        'ms/token': room.msPerToken,
        predicted: room.predictedMsPerToken,
        compute: room.computeMs,
        wire: room.wireMs,
        'hop p50': room.hopOverheadP50Ms,
        'hop p95': room.hopOverheadP95Ms,
        'first token': room.ttftMs,
      })),
    ),
    '',
    'Loading, nothing cached, and memory of each tab, host first.',
    table(
      rooms.map((room) => ({
        devices: room.devices,
        plan: room.plan,
        'load ms': Math.round(room.coldLoadMs),
        'fetched MB': room.loadedMb.map((mb) => mb.toFixed(1)).join(' + '),
        'peak MB': room.peakMemoryMb.map((mb) => mb?.toFixed(0) ?? '–').join(' + '),
      })),
    ),
    '',
    `One device until its plan runs: first visit ${visits.firstVisitMs.toFixed(0)} ms, ` +
      `second visit ${visits.secondVisitMs.toFixed(0)} ms`,
  ].join('\n');
}

runCommand(main);
