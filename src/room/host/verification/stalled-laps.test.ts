/** Who keeps a lap that does not come back, over real stages; one device loses frames, or says what is not so. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readTinyModelFile } from '../../../engine/fixtures/node-runtime.ts';
import type { TinyModel } from '../../../engine/fixtures/tiny-model.ts';
import { createEngineRoom, stagesOf, type EngineRoom } from '../../fixtures/engine-room.ts';
import { runningOn } from '../../fixtures/made-up-plans.ts';
import type { StageProgress } from '../../stage/progress.ts';
import type { LapRunner, TripResult } from '../decoding/lap-runner.ts';
import { createStalledLaps } from './stalled-laps.ts';

const lap = { planVersion: 1, stages: stagesOf('host:0-1,a:2-3,b:4-5,host:6') };
let model: TinyModel;
let room: EngineRoom;
let laps: LapRunner;
let asked: string[];
let findings: string[];
/** What a device says in place of the truth. */
let says: (device: string, truth: StageProgress[]) => StageProgress[] | null;

beforeAll(async () => {
  model = await readTinyModelFile('tiny-llama');
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  room = createEngineRoom(model, ['host', 'a', 'b']);
  await room.prepare(lap);
  asked = [];
  findings = [];
  says = (_, truth) => truth;
  const stalled = createStalledLaps({
    headLayer: room.headLayer,
    hostProgress: (planVersion, sequence) => room.device('host').progress(planVersion, sequence),
    tell(device, message) {
      asked.push(device);
      if (message.kind !== 'report-progress') return;
      const { planVersion, sequence } = message;
      const stages = says(device, room.device(device).progress(planVersion, sequence));
      if (stages) stalled.onProgress(device, { planVersion, sequence, stages });
    },
    onKeeper: (device) => findings.push(`${device} keeps it`),
    onContradiction: (giver, taker) => findings.push(`${giver} and ${taker} contradict each other`),
  });
  laps = stalled.watching(room.laps);
});
afterEach(async () => {
  vi.useRealTimers();
  await room.dispose();
});

function run(length = model.reference.inputIds.length): Promise<TripResult> {
  const ids = model.reference.inputIds.slice(0, length);
  return laps.run(runningOn(lap), { sequence: 1, position: 0, ids, logitsOf: 1, chunk: 8 });
}

/** Frames from one device to another vanish, from the given one on. */
function lose(from: string, to: string, count = 0): void {
  let seen = 0;
  room.intercept = (frame) => frame.from === from && frame.to === to && seen++ >= count;
}

/** Until nothing moves any more, and then for so long. */
async function stuckFor(ms: number): Promise<void> {
  let frames = -1;
  await vi.waitUntil(
    () => {
      const before = frames;
      frames = room.frames.length;
      return before === frames;
    },
    { interval: 150, timeout: 10_000 },
  );
  vi.advanceTimersByTime(ms);
}

describe('a lap that does not come back', () => {
  it.each([
    ['the host’s neighbour, which says it got nothing', 'host', 'a', 'a keeps it'],
    ['the last one, which says that it sent it home', 'b', 'host', 'b keeps it'],
    ['one of two that contradict each other', 'a', 'b', 'a and b contradict each other'],
  ])('stays with %s', async (_, from, to, finding) => {
    lose(from, to);
    void run(5);
    await stuckFor(30_000);
    expect(new Set(findings)).toEqual(new Set([finding]));
  });

  it('stays with one that says itself that it handed nothing on', async () => {
    lose('a', 'b');
    says = (device, truth) =>
      device === 'a' ? truth.map((each) => ({ ...each, given: 0 })) : truth;
    void run(5);
    await stuckFor(30_000);
    expect(new Set(findings)).toEqual(new Set(['a keeps it']));
  });

  it('in the middle of a prompt is found as well', async () => {
    lose('a', 'b', 1);
    void run();
    await stuckFor(30_000);
    expect(new Set(findings)).toEqual(new Set(['a and b contradict each other']));
  });

  it('is nobody’s while somebody before says nothing: whether they are there is asked elsewhere', async () => {
    lose('b', 'host');
    says = (device, truth) => (device === 'a' ? null : truth);
    void run(5);
    await stuckFor(60_000);
    expect(asked).toContain('a');
    expect(findings).toEqual([]);
  });

  it('is not asked after before its time', async () => {
    lose('a', 'b');
    void run(5);
    await stuckFor(19_000);
    expect(asked).toEqual([]);
    vi.advanceTimersByTime(2000);
    expect(asked).toEqual(['a', 'b']);
    // Once may be chance: what is on its way has not arrived.
    expect(findings).toEqual([]);
  });
});

it('asks nobody about a lap that comes round', async () => {
  const { logits } = await run();
  expect(logits.indexOf(Math.max(...logits))).toBe(model.reference.greedyIds[0]);
  vi.advanceTimersByTime(100_000);
  expect(asked).toEqual([]);
});
