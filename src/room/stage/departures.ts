/** Sends hidden states on to the next stages. Steps that shared a run travel together. */
import type { FrameHeader } from '../../transport/index.ts';
import type { WireType } from '../room.ts';
import { groupCode, packGroup, packHidden, wireCode } from '../protocol/index.ts';
import { headerFor, type Work } from './work/index.ts';

/** Work for another device's stage, with the hidden states that it goes on from. */
export interface Onward {
  device: string;
  /** As the next stage will have it. */
  work: Work;
  tokens: number;
  /** [tokens, hidden_size]. */
  values: Float32Array;
  /** Hears the bytes that were sent. */
  onSent: (payload: Uint8Array) => void;
}

type Send = (deviceId: string, header: FrameHeader, payload: Uint8Array) => void;

/** A few slices: with more in one frame the first step would wait for the last to arrive. */
const largestGroupBytes = 16 * 1024;

export function sendOnward(onward: readonly Onward[], wire: WireType, send: Send): void {
  const packed = onward.map((each) => ({ ...each, payload: packHidden(each.values, wire) }));
  for (const group of groups(packed)) {
    const [{ device, work, payload }] = group;
    if (group.length === 1)
      send(device, headerFor(work, work.stage, wireCode(wire), work.hops), payload);
    else {
      const steps = group.map((step) => ({ ...step.work, payload: step.payload }));
      send(device, headerFor(work, work.stage, groupCode, []), packGroup(steps));
    }
  }
  for (const { onSent, payload } of packed) onSent(payload);
}

type Packed = Onward & { payload: Uint8Array };

function groups(packed: Packed[]): Packed[][] {
  const all: Packed[][] = [];
  const open = new Map<string, Packed[]>();
  for (const each of packed) {
    const { device, work, tokens, payload } = each;
    const way = `${device} ${work.lap.planVersion} ${work.stage}`;
    const group = open.get(way);
    const isAlone = work.kind !== 'token' || work.rebuild !== null || tokens !== 1;
    if (group && !isAlone && (group.length + 1) * payload.length <= largestGroupBytes)
      group.push(each);
    else {
      const opened = [each];
      if (!isAlone) open.set(way, opened);
      all.push(opened);
    }
  }
  return all;
}
