import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readTinyModelFile } from '../../../../engine/fixtures/node-runtime.ts';
import type { TinyModel } from '../../../../engine/fixtures/tiny-model.ts';
import {
  contextLength,
  createEngineRoom,
  stagesOf,
  type EngineRoom,
} from '../../../fixtures/engine-room.ts';
import { measuredMember } from '../../../fixtures/members.ts';
import { createLink } from '../../../fixtures/recorded-link.ts';
import { rangesOf, layersOf } from '../../../lap.ts';
import { createGoldenRecorder, type GoldenRecorder } from './golden-recorder.ts';
import type { Member } from '../../membership/members.ts';

const ids = ['host', 'a', 'b'];
let model: TinyModel;
let room: EngineRoom;
let members: Map<string, Member>;
let goldenRecorder: GoldenRecorder;
let wrong: string[];
/** Each device that was asked, and for which layer. */
let asked: string[];
/** Devices whose answers are all zeros. */
let falseAccusers: Set<string>;
let planVersion = 0;
const going = new AbortController().signal;

beforeAll(async () => {
  model = await readTinyModelFile('tiny-llama');
});
beforeEach(() => {
  room = createEngineRoom(model, ids);
  members = new Map(
    ids.map((id) => [id, measuredMember(id, { link: id === 'host' ? null : createLink() })]),
  );
  wrong = [];
  asked = [];
  falseAccusers = new Set();
  goldenRecorder = createGoldenRecorder({
    config: model.config,
    contextLength,
    members,
    embed: (tokens) => room.device('host').embed(tokens),
    async ask(deviceId, job) {
      asked.push(`${deviceId} ${job.first}`);
      const states = await room.device(deviceId).recompute(job, going);
      return falseAccusers.has(deviceId) ? states.fill(0) : states;
    },
    onWrong: ({ id }, reason) => wrong.push(`${id}: ${reason}`),
  });
});
afterEach(() => room.dispose());

/** The layers are dealt like this from now on. */
async function deal(split: string): Promise<void> {
  const lap = { planVersion: ++planVersion, stages: stagesOf(split) };
  await room.prepare(lap);
  for (const id of ids) await room.device(id).keepLaps(new Set([lap.planVersion]));
  for (const member of members.values()) member.layers = rangesOf(layersOf(lap, member.id));
}

describe('the golden states of a model that came without', () => {
  it('are recorded where a layer first runs, and count once a second device agrees', async () => {
    await deal('host:0-2,a:3-5,host:6');
    await goldenRecorder.work(going);
    expect(asked).toEqual(['host 1', 'host 2', 'a 3', 'a 4', 'a 5']);
    expect(goldenRecorder.agreed()).toEqual([]);

    await deal('host:0-1,b:2-3,a:4-5,host:6');
    await goldenRecorder.work(going);
    expect(asked.slice(5)).toEqual(['b 2', 'b 3']);
    expect(goldenRecorder.agreed()).toEqual([2, 3]);
    await goldenRecorder.work(going);
    expect(asked).toHaveLength(7);
    expect(wrong).toEqual([]);
  });

  it('are asked for again of a device that takes a layer anew', async () => {
    await deal('host:0,a:1-5,host:6');
    await goldenRecorder.work(going);
    await deal('host:0,b:1-5,host:6');
    await goldenRecorder.work(going);
    await deal('host:0,a:1-5,host:6');
    asked = [];
    await goldenRecorder.work(going);
    expect(asked).toEqual(['a 1', 'a 2', 'a 3', 'a 4', 'a 5']);
  });

  it('find the second device wrong, where the host agrees with the first', async () => {
    await deal('host:0-2,a:3-5,host:6');
    await goldenRecorder.work(going);
    falseAccusers.add('b');
    await deal('host:0-2,a:3-4,b:5,host:6');
    await goldenRecorder.work(going);
    expect(wrong).toEqual([
      'b: Block 5 gives another result for a fixed input there than on other devices.',
    ]);
    expect(goldenRecorder.agreed()).toEqual([5]);
  });

  it('find the first device wrong, and record the layer anew', async () => {
    falseAccusers.add('a');
    await deal('host:0-2,a:3-5,host:6');
    await goldenRecorder.work(going);
    await deal('host:0-2,b:3-5,host:6');
    await goldenRecorder.work(going);
    expect(wrong).toEqual([
      'a: Block 3 gives another result for a fixed input there than on other devices.',
    ]);
    expect(goldenRecorder.agreed()).toEqual([3]);
    // What came after was computed from its zeros.
    expect(asked.slice(-2)).toEqual(['b 4', 'b 5']);
  });

  it('wait while somebody waits for an answer', async () => {
    await deal('host:0-2,a:3-5,host:6');
    await goldenRecorder.work(AbortSignal.abort());
    expect(asked).toEqual([]);
  });
});
