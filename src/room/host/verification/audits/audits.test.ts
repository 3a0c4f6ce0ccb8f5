import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readTinyModelFile } from '../../../../engine/fixtures/node-runtime.ts';
import type { TinyModel } from '../../../../engine/fixtures/tiny-model.ts';
import { createEngineRoom, stagesOf, type EngineRoom } from '../../../fixtures/engine-room.ts';
import { runningOn } from '../../../fixtures/made-up-plans.ts';
import { measuredMember } from '../../../fixtures/members.ts';
import { createLink } from '../../../fixtures/recorded-link.ts';
import { packHidden, unpackHidden } from '../../../protocol/hidden-codec.ts';
import type { Job } from '../../../compute/recompute.ts';
import type { WireType } from '../../../room.ts';
import { mostWatches } from '../../../stage/boundary-tap.ts';
import { createAudits, type Audits } from './audits.ts';
import type { LapRunner } from '../../decoding/lap-runner.ts';
import type { Member } from '../../membership/members.ts';

const hiddenSize = 96;
const lap = { planVersion: 1, stages: stagesOf('host:0-1,a:2-3,b:4-5,host:6') };
let model: TinyModel;
let room: EngineRoom;
let members: Map<string, Member>;
let audits: Audits;
let laps: LapRunner;
let verdicts: string[];
let hostJobs: Job[];
/** Devices that have every layer's bytes. */
let keepers: Set<string>;
/** Puts something else in place of what the standby device computes. */
let standbySays: (states: Float32Array) => Float32Array;
/** How often a neighbour was asked what it has seen. */
let shown: number;
let nextSequence = 0;

beforeAll(async () => {
  model = await readTinyModelFile('tiny-llama');
});
beforeEach(() => {
  verdicts = [];
  hostJobs = [];
  shown = 0;
  keepers = new Set(['host', 'c']);
  standbySays = (states) => states;
});
afterEach(() => room.dispose());

async function open({
  standby = false,
  wire = 'f32',
}: { standby?: boolean; wire?: WireType } = {}): Promise<void> {
  room = createEngineRoom(model, ['host', 'a', 'b', 'c'], { wire });
  await room.prepare(lap);
  const ids = ['host', 'a', 'b', ...(standby ? ['c'] : [])];
  members = new Map(
    ids.map((id) => [id, measuredMember(id, { link: id === 'host' ? null : createLink() })]),
  );
  audits = createAudits({
    members,
    hiddenSize,
    wire,
    boundaryTap: room.boundaryTap('host'),
    tell(deviceId, message) {
      if (message.kind === 'tap-boundary') room.boundaryTap(deviceId).watch(message);
      if (message.kind !== 'report-boundary') return;
      shown++;
      const { planVersion, sequence, stage } = message;
      const seen = room.boundaryTap(deviceId).take(message);
      const header = {
        kind: 'boundary-states',
        planVersion,
        sequence,
        stage,
        positions: seen?.positions ?? [],
      } as const;
      audits.onSeen(deviceId, header, seen?.payload ?? new Uint8Array());
    },
    recomputing: {
      onDevice: async (deviceId, job) =>
        standbySays(await room.device(deviceId).recompute(job, new AbortController().signal)),
      onHost(job, signal) {
        hostJobs.push(job);
        return room.device('host').recompute(job, signal);
      },
      keeps: (id) => keepers.has(id),
    },
    fetchPauseMs: 40,
    verdicts: {
      onWrong: ({ id }, reason) => verdicts.push(`${id}: ${reason}`),
      onAccused: ({ id }, accused) => verdicts.push(`${id} accuses ${accused.id}`),
    },
    random: () => 0.99,
  });
  laps = audits.watching(room.laps);
}

/** A prompt and four tokens after it, which is as long as a sample is watched. */
async function answer(): Promise<void> {
  const running = runningOn(lap);
  const sequence = ++nextSequence;
  const { inputIds, greedyIds } = model.reference;
  const prompt = inputIds.slice(0, 9);
  const trip = { sequence, logitsOf: 1, chunk: 4 };
  await laps.run(running, { ...trip, position: 0, ids: prompt });
  for (const [index, id] of greedyIds.slice(0, 4).entries())
    await laps.run(running, { ...trip, position: prompt.length + index, ids: [id] });
  await audits.settled();
}

/** The device puts `change` in place of its own states. */
function lies(
  device: string,
  wire: WireType,
  change: (states: Float32Array) => Float32Array,
): void {
  room.tamper = ({ from, header }, payload) => {
    if (from !== device || payload.length === 0) return payload;
    const bytes = new Uint8Array(payload);
    const { values } = unpackHidden(bytes, header.dtype, wire, hiddenSize);
    return packHidden(change(values.slice()), wire);
  };
}

const wrongLayers = (layers: string): string =>
  `Its result for blocks ${layers} differs from that of other devices.`;

describe.each<WireType>(['f32', 'f16'])('work that crosses as %s', (wire) => {
  it('is looked at, device after device, and found right where it is', async () => {
    await open({ wire });
    await answer();
    await answer();
    expect(verdicts).toEqual([]);
    expect(hostJobs.map(({ first, last }) => [first, last])).toEqual([
      [2, 3],
      [4, 5],
    ]);
    // All 9 of the prompt, and the tokens after it.
    expect(hostJobs.map(({ input }) => input.length / hiddenSize)).toEqual([13, 13]);
    // The layers were borrowed, and are gone again.
    expect(room.device('host')).toMatchObject({ lapLayers: [0, 1, 6], standbyLayers: [] });
  });

  it.each<[string, (states: Float32Array) => Float32Array]>([
    ['zeros', (states) => states.fill(0)],
    ['states one part in a hundred too large', (states) => states.map((value) => value * 1.01)],
    ['one wrong dimension', (states) => states.fill(states[5] + 0.3, 5, 6)],
  ])('is found wrong where it is %s', async (_, change) => {
    await open({ wire });
    lies('a', wire, change);
    await answer();
    expect(verdicts).toEqual([`a: ${wrongLayers('2 to 3')}`]);
  });
});

describe('a stage', () => {
  it('that runs other layers than its own is found, though it shows only its last positions', async () => {
    await open();
    await answer();
    const input = new Map<number, Float32Array>();
    room.tamper = ({ from, header }, payload) => {
      if (payload.length === 0) return payload;
      // What came in goes out again, as if its layers were not there.
      const { values } = unpackHidden(new Uint8Array(payload), header.dtype, 'f32', hiddenSize);
      if (from === 'a') input.set(header.step, values.slice(-hiddenSize));
      if (from !== 'b') return payload;
      return packHidden([...input.values()].at(-1) ?? values, 'f32');
    };
    await answer();
    expect(verdicts).toEqual([`b: ${wrongLayers('4 to 5')}`]);
  });

  it('is looked at by a device with nothing else to do, before the host', async () => {
    await open({ standby: true });
    audits.onInFlight(1);
    await answer();
    expect(hostJobs).toEqual([]);
    expect(verdicts).toEqual([]);
  });

  it('is not wrong because somebody says so: the host has the last word', async () => {
    await open({ standby: true });
    standbySays = (states) => states.fill(1);
    await answer();
    expect(verdicts).toEqual([`c: ${wrongLayers('2 to 3')}`]);
  });

  it('is accused where the host cannot look itself', async () => {
    await open({ standby: true });
    lies('a', 'f32', (states) => states.fill(0));
    const host = room.device('host');
    host.recompute = () => Promise.reject(new Error('The host has no room for another layer.'));
    await answer();
    expect(verdicts).toEqual(['c accuses a']);
  });

  it('waits to be looked at by the host until nobody waits for an answer', async () => {
    await open();
    lies('a', 'f32', (states) => states.fill(0));
    audits.onInFlight(1);
    await answer();
    expect(hostJobs).toEqual([]);
    audits.onInFlight(0);
    await audits.settled();
    expect(verdicts).toHaveLength(1);
  });

  it('is looked at once nobody waits for an answer, even if somebody is at another one just then', async () => {
    await open({ standby: true });
    audits.onInFlight(1);
    standbySays = (states) => states.fill(1);
    await answer();
    standbySays = (states) => {
      audits.onInFlight(0);
      return states;
    };
    await answer();
    expect(verdicts).toEqual([`c: ${wrongLayers('2 to 3')}`]);
  });

  it('is looked at by nobody who must fetch layers for it, while somebody may want to ask', async () => {
    await open({ standby: true });
    keepers.clear();
    audits.onInFlight(1);
    await answer();
    expect(hostJobs).toEqual([]);
    audits.onInFlight(0);
    await audits.settled();
    expect(hostJobs).toHaveLength(1);
  });

  it('is not looked at with weights that give each run another result', async () => {
    await open();
    for (const member of members.values())
      if (member.profile) member.profile.compute.weights = 'q8';
    await answer();
    expect(hostJobs).toEqual([]);
  });
});

describe('a neighbour', () => {
  it('that has seen nothing makes no case', async () => {
    await open();
    room.boundaryTap('b').watch = () => undefined;
    await answer();
    expect(hostJobs).toEqual([]);
  });

  it('is not asked for what it forgot long ago, nor is that remembered here', async () => {
    await open();
    const running = runningOn(lap);
    const first = ++nextSequence;
    const trip = { sequence: first, ids: [1], logitsOf: 1, chunk: 4, position: 0 };
    await laps.run(running, trip);
    // Answers of one token end before they have been watched long enough.
    for (let others = 0; others < mostWatches; others++) {
      const sequence = ++nextSequence;
      await laps.run(running, { ...trip, sequence });
      for (const id of ['host', 'a', 'b']) room.device(id).release(sequence);
    }
    for (let position = 1; position < 5; position++) await laps.run(running, { ...trip, position });
    expect(shown).toBe(0);
  });

  it('that shows other states than it says is refused', async () => {
    await open();
    const boundaryTap = room.boundaryTap('b');
    const { take } = { ...boundaryTap };
    boundaryTap.take = (boundary) => {
      const seen = take(boundary);
      return seen && { ...seen, positions: seen.positions.slice(1) };
    };
    await expect(answer()).rejects.toThrow(/^b says it saw 12 positions, and shows 13$/);
  });
});
