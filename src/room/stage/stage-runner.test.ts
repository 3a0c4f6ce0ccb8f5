import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nodeRuntime, readTinyModelFile } from '../../engine/fixtures/node-runtime.ts';
import type { TinyModel } from '../../engine/fixtures/tiny-model.ts';
import { createLocalEngine } from '../../engine/local-engine.ts';
import type { FrameHeader } from '../../transport/index.ts';
import {
  contextLength,
  createEngineRoom,
  stagesOf,
  type EngineRoom,
} from '../fixtures/engine-room.ts';
import { runningOn } from '../fixtures/made-up-plans.ts';
import { groupCode } from '../protocol/group-frame.ts';
import type { Lap } from '../lap.ts';
import type { WireType } from '../room.ts';
import { createBoundaryTap } from './boundary-tap.ts';
import type { LapEnd } from './stage-options.ts';
import { createStageRunner, type StageRunner } from './stage-runner.ts';

let model: TinyModel;
let room: EngineRoom;

beforeAll(async () => {
  model = await readTinyModelFile('tiny-llama');
});
afterEach(() => room.dispose());

/** Layers 0 to 6: embedding, five blocks, head. */
const splits = [
  'host:0-6',
  'host:0-2,a:3-5,host:6',
  'host:0,a:1-5,host:6',
  'host:0-1,a:2-3,b:4-5,host:6',
  'host:0,a:1,b:2,a:3,host:4,b:5,host:6',
  'host:0-1,a:2-4,host:5-6',
];

function open(wire: WireType = 'f32'): void {
  room = createEngineRoom(model, ['host', 'a', 'b'], { wire });
}

function lapOf(split: string, planVersion = 1): Lap {
  return { planVersion, stages: stagesOf(split) };
}

async function logitsOf(
  lap: Lap,
  ids: readonly number[],
  { sequence = 1, position = 0, chunk = 64, wanted = 1 } = {},
): Promise<Float32Array> {
  const trip = { sequence, position, ids, chunk, logitsOf: wanted };
  return (await room.laps.run(runningOn(lap), trip)).logits;
}

async function greedyIds(lap: Lap, prompt: readonly number[], count: number): Promise<number[]> {
  const ids: number[] = [];
  let logits = await logitsOf(lap, prompt, { chunk: 7 });
  while (ids.length < count) {
    ids.push(logits.indexOf(Math.max(...logits)));
    logits = await logitsOf(lap, ids.slice(-1), { position: prompt.length + ids.length - 1 });
  }
  return ids;
}

describe.each(splits)('a lap over %s', (split) => {
  it('gives the tokens of the reference', async () => {
    open();
    const { inputIds, greedyIds: expected } = model.reference;
    await room.prepare(lapOf(split));
    expect(await greedyIds(lapOf(split), inputIds, expected.length)).toEqual(expected);
    expect(room.refusals).toEqual([]);
  });

  it('gives the very numbers of a lone host, whatever the chunk', async () => {
    open();
    const { inputIds } = model.reference;
    await room.prepare(lapOf('host:0-6', 1));
    await room.prepare(lapOf(split, 2));
    const alone = await logitsOf(lapOf('host:0-6', 1), inputIds, { sequence: 1, chunk: 5 });
    const together = await logitsOf(lapOf(split, 2), inputIds, { sequence: 2, chunk: 5 });
    expect(together).toEqual(alone);
    const atOnce = await logitsOf(lapOf(split, 2), inputIds, { sequence: 3, chunk: 24 });
    // float32 sums of the same numbers in another order.
    atOnce.forEach((logit, id) => expect(Math.abs(logit - alone[id])).toBeLessThan(1e-4));
  });
});

describe('a idle moment', () => {
  it('comes to each device as it hands a token on, and not to the host that has it back', async () => {
    open();
    const lap = lapOf('host:0-1,a:2-3,b:4-5,host:6');
    await room.prepare(lap);
    await logitsOf(lap, [1]);
    await logitsOf(lap, [2], { position: 1 });
    expect(room.idleMoments).toEqual(['host', 'a', 'b', 'host', 'a', 'b']);
  });

  it('comes to a lone host when its engine has begun', async () => {
    open();
    const lap = lapOf('host:0-6');
    await room.prepare(lap);
    const logits = logitsOf(lap, [1]);
    await new Promise(setImmediate);
    expect(room.idleMoments).toEqual(['host']);
    await logits;
    expect(room.idleMoments).toEqual(['host']);
  });
});

describe('a lap', () => {
  const split = 'host:0-1,a:2-3,b:4-5,host:6';
  const lap = lapOf(split);

  it('stays close to itself with hidden states as halves', async () => {
    const { inputIds } = model.reference;
    open('f32');
    await room.prepare(lap);
    const exact = await logitsOf(lap, inputIds);
    await room.dispose();
    open('f16');
    await room.prepare(lap);
    const halved = await logitsOf(lap, inputIds);
    const largest = Math.max(...halved.map((logit, id) => Math.abs(logit - exact[id])));
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(0.05);
    // Half the bytes: 24 positions of 96 numbers.
    expect(room.frames[0].payloadBytes).toBe(24 * 96 * 2);
  });

  it('hands the head only the positions whose logits are wanted', async () => {
    open();
    const { inputIds } = model.reference;
    await room.prepare(lap);
    await logitsOf(lap, inputIds, { chunk: 10 });
    const toHead = room.frames.filter(({ header }) => header.stage === 3);
    expect(toHead.map(({ payloadBytes }) => payloadBytes)).toEqual([96 * 4]);
    expect(toHead[0].header.step).toBe(inputIds.length - 1);
  });

  it('gives the logits of as many last positions as are wanted', async () => {
    open();
    const { inputIds } = model.reference;
    await room.prepare(lap);
    const logits = await logitsOf(lap, inputIds, { wanted: 3, chunk: 10 });
    const { vocab_size: vocabulary } = model.config;
    expect(logits).toHaveLength(3 * vocabulary);
    for (const back of [1, 2, 3]) {
      const end = inputIds.length - back + 1;
      const alone = await logitsOf(lap, inputIds.slice(0, end), { sequence: 1 + back });
      const layer = logits.subarray((3 - back) * vocabulary, (4 - back) * vocabulary);
      layer.forEach((logit, id) => expect(Math.abs(logit - alone[id])).toBeLessThan(1e-4));
    }
  });

  it('times every stage once, in order', async () => {
    open();
    await room.prepare(lap);
    const trip = { sequence: 1, position: 0, ids: [5], chunk: 1, logitsOf: 1 };
    const { timing } = await room.laps.run(runningOn(lap), trip);
    expect(timing.hops.map(({ stage }) => stage)).toEqual([0, 1, 2, 3]);
    expect(timing.hops.map(({ wireMs }) => wireMs)).toEqual([0, 0.25, 0.25, 0.25]);
    const computeMs = timing.hops.reduce((sum, hop) => sum + hop.computeMs, 0);
    expect(computeMs).toBeGreaterThan(0);
    expect(computeMs).toBeLessThanOrEqual(timing.lapMs);
  });

  it('keeps sequences that are under way together apart', async () => {
    open();
    await room.prepare(lap);
    const { inputIds } = model.reference;
    const prompts = [inputIds, inputIds.slice(3), inputIds.slice(10, 12)];
    const lone: Float32Array[] = [];
    for (const [index, ids] of prompts.entries())
      lone.push(await logitsOf(lap, ids, { sequence: 10 + index, chunk: 4 }));
    const together = await Promise.all(
      prompts.map((ids, index) => logitsOf(lap, ids, { sequence: 20 + index, chunk: 4 })),
    );
    together.forEach((logits, index) => expect(logits).toEqual(lone[index]));
  });

  it('sends steps that shared a run in one frame, with the times of each', async () => {
    open();
    await room.prepare(lap);
    const { inputIds } = model.reference;
    const lengths = [5, 9, 12, 16];
    const step = async (sequence: number, position: number) => {
      const trip = { sequence, position, ids: [inputIds[position]], chunk: 8, logitsOf: 1 };
      return room.laps.run(runningOn(lap), trip);
    };
    for (const [index, length] of lengths.entries())
      await logitsOf(lap, inputIds.slice(0, length), { sequence: 1 + index });
    const alone: Float32Array[] = [];
    for (const [index, length] of lengths.entries())
      alone.push((await step(1 + index, length)).logits);
    const before = room.frames.length;
    const together = await Promise.all(lengths.map((length, index) => step(1 + index, length)));
    const sent = room.frames.slice(before);
    expect(sent.filter(({ header }) => header.dtype === groupCode)).not.toEqual([]);
    expect(sent.length).toBeLessThan(3 * lengths.length);
    together.forEach(({ logits, timing }, index) => {
      logits.forEach((logit, id) => expect(Math.abs(logit - alone[index][id])).toBeLessThan(1e-4));
      expect(timing.hops.map(({ stage }) => stage)).toEqual([0, 1, 2, 3]);
    });
  });

  it("goes on from another sequence's cache after a fork", async () => {
    open();
    await room.prepare(lap);
    const { inputIds } = model.reference;
    const whole = await logitsOf(lap, inputIds, { sequence: 1, chunk: 8 });
    room.device('host').fork(lap.planVersion, { sequence: 2, from: 1, length: 16 });
    const forked = await logitsOf(lap, inputIds.slice(16), { sequence: 2, position: 16, chunk: 8 });
    expect(forked).toEqual(whole);
  });

  it('is lost when a device cannot run its layers, with the reason', async () => {
    open();
    await room.prepare(lap);
    await logitsOf(lap, [1, 2, 3]);
    const gap = logitsOf(lap, [4], { position: 9 });
    await expect(gap).rejects.toThrow(/holds 3 positions of sequence 1/);
  });

  it('ends nowhere once its sequence is released', async () => {
    open();
    await room.prepare(lap);
    let toldOfHead = false;
    room.intercept = (frame) => {
      if (frame.header.sequence === 5 && frame.from === 'a') room.device('b').release(5);
      toldOfHead ||= frame.header.sequence === 5 && frame.header.stage === 3;
      return false;
    };
    void logitsOf(lap, [1, 2, 3], { sequence: 5 });
    // Another sequence's lap comes round behind it.
    await logitsOf(lap, [1, 2, 3], { sequence: 6 });
    expect(toldOfHead).toBe(false);
  });
});

describe('a frame from another device', () => {
  const hidden = 96;
  const lap = lapOf('host:0-1,a:2-3,b:4-5,host:6', 4);
  const header: FrameHeader = {
    flags: 1,
    dtype: 0,
    planVersion: 4,
    sequence: 1,
    step: 0,
    stage: 1,
    hops: [],
  };
  const oneToken = new Uint8Array(hidden * 4);
  let runner: StageRunner;
  let failures: string[];
  let ends: LapEnd[];
  let busy: boolean[];

  beforeEach(() => {
    open();
    failures = [];
    ends = [];
    busy = [];
    const engine = createLocalEngine(nodeRuntime, { config: model.config, contextLength });
    runner = createStageRunner({
      deviceId: 'a',
      engine,
      hiddenSize: hidden,
      contextLength,
      headLayer: 6,
      wire: 'f32',
      limits: { mostTogether: () => 16, mostSequences: () => 4, replayBudgetBytes: () => 1 << 20 },
      wires: { send: () => undefined, wireMs: () => 0 },
      outcomes: {
        onLapEnd: (end) => ends.push(end),
        onPieceRead: () => undefined,
        onFailure: ({ reason, blames }) => failures.push(`${blames ?? 'itself'}: ${reason}`),
      },
      boundaryTap: createBoundaryTap(hidden * 4),
      activity: { onBusy: (isBusy) => busy.push(isBusy), onStep: () => undefined },
    });
    runner.adopt(lap);
  });

  it.each<[string, string, Partial<FrameHeader>, Uint8Array<ArrayBuffer>, RegExp]>([
    ['of a device that is not before this stage', 'b', {}, oneToken, /not its to send/],
    ["for another device's stage", 'host', { stage: 2 }, oneToken, /not its to send/],
    ['for the first stage', 'host', { stage: 0 }, oneToken, /not its to send/],
    ['past the last stage', 'host', { stage: 4 }, oneToken, /not its to send/],
    ['of another type', 'host', { dtype: 1 }, oneToken, /this room sends f32/],
    ['of half a token', 'host', {}, oneToken.slice(0, 100), /not a multiple of 384/],
    ['past the context', 'host', { step: contextLength }, oneToken, /past the context of 64/],
    ['that wants more logits than it has', 'host', { flags: 2 }, oneToken, /logits of 2 of 1/],
    ['that forks from nowhere', 'host', { dtype: 255 }, oneToken, /a fork of 384 bytes/],
  ])('%s is refused', (_, from, change, payload, sentence) => {
    expect(() => runner.receive(from, { ...header, ...change }, payload)).toThrow(sentence);
    expect(busy).toEqual([]);
  });

  it.each([NaN, Infinity, -Infinity])(
    'with %s in it fails the answer and names its sender',
    (bad) => {
      const values = new Float32Array(hidden).fill(1);
      values[95] = bad;
      runner.receive('host', header, new Uint8Array(values.buffer));
      expect(failures).toEqual(['host: It sent numbers that are not finite.']);
      expect(busy).toEqual([]);
    },
  );

  it('of a lap that is over is dropped in silence', () => {
    runner.receive('host', { ...header, planVersion: 3 }, oneToken);
    runner.keepOnly(new Set([5]));
    runner.receive('host', header, oneToken);
    expect(busy).toEqual([]);
  });

  it('that cannot be computed is reported as a failure of its sequence, and work goes on', async () => {
    runner.receive('host', header, oneToken);
    await expect.poll(() => busy).toEqual([true, false]);
    expect(failures).toEqual([expect.stringContaining('layer 2 is not loaded on this device')]);
    runner.receive('host', header, oneToken);
    await expect.poll(() => failures).toHaveLength(2);
    expect(ends).toEqual([]);
  });
});
