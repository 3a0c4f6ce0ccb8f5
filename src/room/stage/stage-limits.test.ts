/** What a device of the lap may have the next one hold and do, and what becomes of honest answers meanwhile. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readTinyModelFile } from '../../engine/fixtures/node-runtime.ts';
import type { TinyModel } from '../../engine/fixtures/tiny-model.ts';
import type { FrameHeader } from '../../transport/index.ts';
import {
  contextLength,
  createEngineRoom,
  stagesOf,
  type EngineRoom,
} from '../fixtures/engine-room.ts';
import { runningOn } from '../fixtures/made-up-plans.ts';
import { forkCode } from '../protocol/hidden-codec.ts';
import type { StageFailure } from './stage-failures.ts';
import type { ComputingDevice } from '../compute/computing-device.ts';

const lap = { planVersion: 1, stages: stagesOf('host:0-1,a:2-3,b:4-5,host:6') };
const hidden = 96;
let model: TinyModel;
let room: EngineRoom;
let b: ComputingDevice;
let failures: (StageFailure & { at: string })[];

beforeAll(async () => {
  model = await readTinyModelFile('tiny-llama');
});
beforeEach(async () => {
  room = createEngineRoom(model, ['host', 'a', 'b']);
  await room.prepare(lap);
  room.mostSequences = 4;
  b = room.device('b');
  failures = [];
  room.onFailure = (failure, at) => failures.push({ ...failure, at });
});
afterEach(() => room.dispose());

/** As `a`, which is before it, might send it to `b`. */
function send(sequence: number, change: Partial<FrameHeader> = {}, tokens = 1): void {
  const header = {
    flags: 0,
    dtype: 0,
    planVersion: 1,
    sequence,
    step: 0,
    stage: 2,
    hops: [],
    ...change,
  };
  const values = new Float32Array(tokens * hidden).fill(0.1);
  const payload = change.dtype === forkCode ? Uint32Array.of(7) : values;
  b.receive('a', header, new Uint8Array(payload.buffer));
}

/** Of the reference, while something happens before each lap. */
async function honestIds(
  sequence: number,
  before: () => void = () => undefined,
): Promise<number[]> {
  const { inputIds, greedyIds } = model.reference;
  const ids: number[] = [];
  let position = 0;
  for (let next = inputIds; ids.length < greedyIds.length; next = ids.slice(-1)) {
    before();
    const trip = { sequence, position, ids: next, logitsOf: 1, chunk: 8 };
    const { logits } = await room.laps.run(runningOn(lap), trip);
    position += next.length;
    ids.push(logits.indexOf(Math.max(...logits)));
  }
  return ids;
}

describe('a device that opens sequences of its own on the next one', () => {
  it('gets as many as the host allows, is named for the first that is refused, and the answer goes on', async () => {
    let made = 1000;
    const ids = await honestIds(1, () => send(made++));
    expect(ids).toEqual(model.reference.greedyIds);
    // The answer's own, and three.
    expect(made).toBeGreaterThan(1004);
    expect(failures[0]).toEqual({
      at: 'b',
      planVersion: 1,
      sequence: 1003,
      fault: 'request',
      blames: 'a',
      reason: 'It opened more sequences than the devices of this lap have memory for.',
    });
    expect(new Set(failures.map(({ blames }) => blames))).toEqual(new Set(['a']));
  });

  it('has room again for what the host begins, once the host has said what is in use', () => {
    for (let made = 100; made < 104; made++) send(made);
    send(5);
    expect(failures.map(({ sequence }) => sequence)).toEqual([5]);
    b.keepSequences([5], 5);
    send(6);
    expect(failures).toHaveLength(1);
  });

  it('is not heard any more when it goes on and on', () => {
    expect(() => {
      for (let made = 0; made < 1000; made++) send(made);
    }).toThrow('a sent one wrong frame after the other');
    // What it does is not handed on to the host in full either.
    expect(failures.length).toBeLessThan(40);
  });

  it('may have no more of one waiting than a context holds', () => {
    expect(() => {
      for (let times = 0; times < 100; times++) send(1, {}, 8);
    }).toThrow(`more of sequence 1 at once than the context of ${contextLength}`);
  });
});

describe('what a frame says of the stages before', () => {
  it('names none that come later, or are not there at all', () => {
    const hop = { stage: 1, queueUs: 1, computeUs: 1, wireUs: 1 };
    for (const stage of [2, 3, 4, 65_535])
      expect(() => send(1, { hops: [{ ...hop, stage }] })).toThrow(
        `a sent times of stage ${stage} to stage 2`,
      );
    expect(() => send(1, { hops: [{ ...hop, stage: 0 }, hop] })).not.toThrow();
  });
});

describe('what a device does not hold', () => {
  it('is the fault of who asked for a position past what is cached', async () => {
    send(7, { step: 9 });
    await expect.poll(() => failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ at: 'b', fault: 'request', blames: 'a' });
    expect(failures[0].reason).toMatch('holds 0 positions of sequence 7: a run cannot start at 9');
  });

  it('is the fault of who asked for a fork of it', async () => {
    send(8, { dtype: forkCode, step: 4 });
    await expect.poll(() => failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ at: 'b', sequence: 8, fault: 'request', blames: 'a' });
    expect(failures[0].reason).toMatch('sequence 7 holds 0 positions: 4 of them cannot be forked');
  });

  it('takes no other answer down that shares the run', async () => {
    // The first is run by itself; the others wait for it, and are run together.
    send(20, { flags: 1 });
    send(7, { flags: 1, step: 9 });
    send(21, { flags: 1 });
    const wentOn = (): number[] =>
      room.frames.filter(({ from }) => from === 'b').map(({ header }) => header.sequence);
    await expect.poll(wentOn).toEqual([20, 21]);
    expect(failures.map(({ sequence }) => sequence)).toEqual([7]);
  });

  it('is told once of a sequence, however much of it follows', async () => {
    for (let step = 5; step < 15; step++) send(7, { step });
    await honestIds(1);
    expect(failures.map(({ sequence }) => sequence)).toEqual([7]);
  });
});
