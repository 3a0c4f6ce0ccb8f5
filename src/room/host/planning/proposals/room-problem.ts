/** The planner's problem, stated from what the members measured. */
import type { ModelConfig } from '../../../../model/config.ts';
import type { Manifest } from '../../../../model/manifest.ts';
import type { Problem } from '../../../../planner/index.ts';
import { sequenceBytesPerBlock } from '../../../memory/index.ts';
import { bytesPerNumber } from '../../../protocol/index.ts';
import type { PlanChoice, WireType } from '../../../room.ts';
import { blockMsAt, linkBetween, type MeasuredMember } from '../../membership/index.ts';
import { computeBytes } from './memory-fit.ts';

export interface RoomPlanInput {
  manifest: Manifest;
  contextLength: number;
  wire: WireType;
  choice: PlanChoice;
  members: MeasuredMember[];
  /** Answers in flight together, which the plan is to serve. */
  inFlight: number;
  /** Positions before the token that the plan is made for; a longer text takes longer a token. */
  position: number;
  /** What part of its measured time the link between two devices takes, all of it by default: see `Calibration.wireShare`. */
  wireShare?: (from: string, to: string) => number;
  /** Layers that each device holds already: among plans nearly as fast as the best, the one that loads least is taken. */
  loaded?: ReadonlyMap<string, readonly number[]>;
  /** How much slower than the best that may be. */
  loadTolerance?: number;
}

/**
 * The planner's problem for this room. Devices may compute with different weight types, and a layer's
 * memory is one figure in the problem; so a device's memory is stated as the number of blocks that fit
 * it, in units of the room's largest block.
 */
export function roomProblem(input: RoomPlanInput): Problem {
  const { manifest, contextLength, wire, members, position, loaded, loadTolerance = 0 } = input;
  const { config } = manifest;
  const blocks = config.num_hidden_layers;
  const kvBytes = sequenceBytesPerBlock(manifest.config, contextLength);
  const profiles = members.map((member) => member.profile);
  const largest = (bytesOf: (profile: (typeof profiles)[number]) => number) =>
    Math.max(...profiles.map(bytesOf));
  const blockBytes = largest((profile) => profile.compute.blockBytes) + kvBytes;
  const embedBytes = largest((profile) => profile.compute.embedBytes);
  const headBytes = largest((profile) => profile.compute.headBytes);

  const memoryOf = ({ id, profile }: MeasuredMember): number => {
    const { compute } = profile;
    const budgetBytes = computeBytes(profile);
    const ends = id === 'host' ? compute.embedBytes + compute.headBytes : 0;
    if (ends > budgetBytes) return 0;
    const fitting = Math.floor((budgetBytes - ends) / (compute.blockBytes + kvBytes));
    return (id === 'host' ? embedBytes + headBytes : 0) + fitting * blockBytes;
  };

  return {
    layers: manifest.layers.map(({ name, kind }) => ({
      name,
      kind,
      memoryBytes: { embed: embedBytes, block: blockBytes, head: headBytes }[kind],
      outputBytes: kind === 'head' ? 0 : hiddenBytes(config, wire),
    })),
    devices: members.map((member) => {
      const { compute, callMs } = member.profile;
      const perLayer = (embed: number, block: number, head: number) => [
        embed,
        ...Array.from({ length: blocks }, () => block),
        head,
      ];
      return {
        id: member.id,
        memoryBytes: memoryOf(member),
        layerMs: perLayer(compute.embedMs + callMs, blockMsAt(compute, position), compute.headMs),
        prefillLayerMs: perLayer(0, compute.prefillBlockMs, 0),
        ...(loaded && { loaded: [...(loaded.get(member.id) ?? [])] }),
      };
    }),
    links: members.flatMap((member, index) =>
      linksOf(member, members.slice(0, index), input.wireShare),
    ),
    source: 'host',
    pin: { first: 1, last: 1 },
    ...(loaded && { switching: { toleranceRatio: loadTolerance } }),
  };
}

/** One position's hidden state on the wire. */
export function hiddenBytes({ hidden_size }: ModelConfig, wire: WireType): number {
  return hidden_size * bytesPerNumber[wire];
}

/** Both directions of every link to the others; entering a device costs a call to its engine. */
function linksOf(
  member: MeasuredMember,
  others: MeasuredMember[],
  wireShare: RoomPlanInput['wireShare'],
): Problem['links'] {
  return others.flatMap((other) => {
    const link = linkBetween(member, other);
    if (!link) return [];
    const share = wireShare?.(member.id, other.id) ?? 1;
    const [latencyMs, p90LatencyMs] = [share * link.latencyMs, share * link.p90LatencyMs];
    const { mbps } = link;
    return [
      [member, other],
      [other, member],
    ].map(([from, to]) => ({
      from: from.id,
      to: to.id,
      latencyMs,
      p90LatencyMs,
      mbps,
      hopMs: to.profile.callMs,
    }));
  });
}
