/**
 * The stages of a room that answers: frames of a device that belongs to one lap and not to the other, between the
 * frames of an answer that has to come out right.
 */
import type { TinyModel } from '../../src/engine/fixtures/tiny-model.ts';
import {
  createEngineRoom,
  stagesOf,
  type EngineRoom,
} from '../../src/room/fixtures/engine-room.ts';
import { runningOn } from '../../src/room/fixtures/made-up-plans.ts';
import type { FrameHeader } from '../../src/transport/index.ts';
import { below, oneOf, randomBytes, type Random } from './mutate.ts';
import { isSentence, tryOn, type Target, type TargetOptions } from './target.ts';
import { forkCode } from '../../src/room/protocol/index.ts';

const honestLap = { planVersion: 1, stages: stagesOf('host:0-2,a:3-5,host:6') };
/** In this one `x`, which is hostile, hands on to `a`. */
const sharedLap = { planVersion: 2, stages: stagesOf('host:0-1,x:2-3,a:4-5,host:6') };
const types = ['hidden states', 'fork', 'noise'] as const;
/** Or what comes after the first few would not be looked at. */
const noEnd = { burst: Infinity, perSecond: 0 };
/** Between two frames of the honest answer. */
const perTurn = 40;

export async function stageTarget(options: TargetOptions, model: TinyModel): Promise<Target> {
  const { random, tally } = options;
  const name = 'stages';
  tally.expect(name, types);
  const room = createEngineRoom(model, ['host', 'a'], { failureReports: noEnd });
  await room.prepare(honestLap);
  for (const device of room.devices.values())
    await device.prepare(sharedLap, false, () => undefined);
  await Promise.all([...room.devices.values()].map((device) => device.keepLaps(new Set([1, 2]))));
  let sequence = 0;

  function attack(): void {
    const type = oneOf(random, types);
    const to = oneOf(random, ['a', 'a', 'host']);
    const { header, payload } = hostileFrame(random, type, model.config.hidden_size);
    tryOn(options, [name, type], () => room.device(to).receive('x', header, payload), isSentence);
  }

  return {
    name,
    async feed(count) {
      let fed = 0;
      while (fed < count) {
        const beforeLap = (): void => {
          for (let attacks = 0; attacks < perTurn; attacks++) attack();
          fed += perTurn;
        };
        await expectHonestAnswer(room, model, ++sequence, beforeLap);
        for (const device of room.devices.values()) device.release(sequence);
      }
      for (const device of room.devices.values())
        for (const hostile of hostileSequences) device.release(hostile);
      return fed;
    },
    close: () => room.dispose(),
  };
}

const hostileSequences = Array.from({ length: 8 }, (_, index) => 100_000 + index);

function hostileFrame(
  random: Random,
  type: (typeof types)[number],
  hiddenSize: number,
): { header: FrameHeader; payload: Uint8Array<ArrayBuffer> } {
  const isRight = random() < 0.3;
  const tokens = 1 + below(random, 3);
  const header: FrameHeader = {
    flags: isRight ? below(random, 2) : below(random, 256),
    dtype: type === 'fork' ? forkCode : isRight ? 0 : below(random, 256),
    planVersion: isRight ? 2 : below(random, 4),
    sequence: oneOf(random, hostileSequences),
    step: isRight ? below(random, 4) : below(random, 2 ** 32),
    stage: isRight ? 2 : below(random, 6),
    hops: [],
  };
  switch (type) {
    case 'hidden states': {
      const values = Float32Array.from({ length: tokens * hiddenSize }, () => random() - 0.5);
      return { header, payload: new Uint8Array(values.buffer) };
    }
    case 'fork':
      return { header, payload: randomBytes(random, isRight ? 4 : below(random, 9)) };
    case 'noise':
      return { header, payload: randomBytes(random, below(random, 4 * hiddenSize)) };
  }
}

async function expectHonestAnswer(
  room: EngineRoom,
  model: TinyModel,
  sequence: number,
  beforeLap: () => void,
): Promise<void> {
  const { inputIds, greedyIds } = model.reference;
  const ids: number[] = [];
  let position = 0;
  for (let next = inputIds; ids.length < greedyIds.length; next = ids.slice(-1)) {
    beforeLap();
    const { logits } = await room.laps.run(runningOn(honestLap), {
      sequence,
      position,
      ids: next,
      logitsOf: 1,
      chunk: 8,
      onRead: () => undefined,
    });
    position += next.length;
    ids.push(logits.indexOf(Math.max(...logits)));
  }
  if (ids.join() !== greedyIds.join())
    throw new Error(`an honest answer was disturbed: ${ids.join()}, not ${greedyIds.join()}`);
}
