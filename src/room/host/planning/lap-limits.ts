/** What the members' measurements and memory say about a lap. */
import type { Manifest } from '../../../model/manifest.ts';
import { devicesOf, layersOf, type Lap } from '../../lap.ts';
import type { Member } from '../membership/index.ts';
import { sequencesThatFit } from './proposals/index.ts';

type Members = ReadonlyMap<string, Member>;

/** More answers in flight than this only wait for each other. */
const maxSequences = 16;

/** Layers of the lap that the member does not hold yet. */
export function missingLayers(member: Member | undefined, lap: Lap, deviceId: string): number[] {
  const held = member?.layers ?? [];
  return layersOf(lap, deviceId).filter(
    (layer) => !held.some(({ first, last }) => layer >= first && layer <= last),
  );
}

/** Whether what some member holds and what the lap gives it are together more than it may hold. */
export function overflows(members: Members, lap: Lap): boolean {
  return [...members.values()].some((member) => {
    if (!member.profile) return false;
    const { compute, budgetBytes } = member.profile;
    const added = missingLayers(member, lap, member.id).length;
    // What a standby device keeps ready goes when it is given layers.
    const usedBytes = member.layers.length > 0 ? member.usedBytes : 0;
    return added > 0 && usedBytes + added * compute.blockBytes > budgetBytes;
  });
}

/** How many sequences' caches fit beside the weights that the lap gives each device; at least 1. */
export function sequenceCapacity(
  members: Members,
  lap: Lap,
  manifest: Manifest,
  contextLength: number,
): number {
  const fitting = [...devicesOf(lap)].map((id) => {
    const member = members.get(id);
    return member ? sequencesThatFit(member, layersOf(lap, id), manifest, contextLength) : 1;
  });
  return Math.max(1, Math.min(...fitting, maxSequences));
}

/** The largest chunk of a prompt that every device of the lap has measured to be right. */
export function prefillChunkOf(members: Members, lap: Lap): number {
  const chunks = [...devicesOf(lap)].map(
    (id) => members.get(id)?.profile?.compute.prefillChunk ?? 1,
  );
  return Math.min(...chunks);
}

/**
 * Whether several positions in one run give what they would give one by one. Int8 arithmetic on wasm
 * scales by what shares the run.
 */
export function batchesAreExact(members: Members, lap: Lap): boolean {
  return [...devicesOf(lap)].every((id) => {
    const compute = members.get(id)?.profile?.compute;
    return compute !== undefined && !(compute.backend === 'wasm' && compute.weights === 'q8');
  });
}

/**
 * How many steps the host sends off together. What leaves together stays together, so all answers in one batch
 * would keep one device at work at a time: each device of the lap gets its share of them.
 */
export function mostTogether(lap: Lap | null, inFlight: number, maxBatch: number): number {
  const devices = lap ? devicesOf(lap).size : 1;
  return Math.max(1, Math.min(maxBatch, Math.ceil(inFlight / devices)));
}
