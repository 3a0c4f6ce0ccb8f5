/** Sends hidden states of this device's replay buffer into a cache rebuild. */
import { unpackHidden, wireCode } from '../protocol/index.ts';
import type { Replay, ReplayBuffer } from '../replay/index.ts';
import type { StageSetting, StageWires } from './stage-options.ts';
import { headerFor, type Routes, type Work } from './work/index.ts';

export interface ReplayingOptions {
  setting: StageSetting;
  wires: StageWires;
  routes: Routes;
  replayBuffer: ReplayBuffer;
  /** Takes work for a stage of this device. */
  enqueue: (work: Work) => void;
}

/** False where the buffer does not have the states any more. */
export type Replaying = (replay: Replay) => boolean;

/** Who starts every cache rebuild. */
const host = 'host';

export function createReplaying(options: ReplayingOptions): Replaying {
  const { routes, replayBuffer, wires } = options;
  const { deviceId, hiddenSize, wire } = options.setting;

  return ({ sequence, position, tokens }) => {
    const rebuild = routes.rebuild(sequence);
    // Nobody waits for one that is over by now.
    if (!rebuild) return true;
    const [{ device, first: layer }] = rebuild.stages;
    const payload = replayBuffer.read({ sequence: rebuild.fills, layer }, position, tokens);
    if (!payload) return false;
    const work = { sequence, rebuild, lap: rebuild, position, logitsOf: 0, stage: 0 };
    if (device !== deviceId) {
      wires.send(device, headerFor(work, 0, wireCode(wire), []), payload);
      return true;
    }
    const { values } = unpackHidden(payload, wireCode(wire), wire, hiddenSize);
    const input = { kind: 'hidden', tokens, values } as const;
    const arrivedMs = performance.now();
    options.enqueue({ ...work, from: host, kind: 'prompt', input, hops: [], wireMs: 0, arrivedMs });
    return true;
  };
}
