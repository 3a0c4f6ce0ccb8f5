/** From what the members measured to the stages they run: builds the planner's problem and asks it. */
import type { Manifest } from '../../model/manifest.ts';
import { choosePlan, priceStages, solve, type Problem } from '../../planner/index.ts';
import { bytesPerNumber } from '../hidden-codec.ts';
import { checkStages, type Stage } from '../lap.ts';
import type { PlanChoice, WireType } from '../room.ts';
import { linkBetween, type MeasuredMember } from './members.ts';

export interface RoomPlanInput {
  manifest: Manifest;
  contextLength: number;
  wire: WireType;
  choice: PlanChoice;
  members: MeasuredMember[];
}

export type RoomPlan =
  | { feasible: true; stages: Stage[]; msPerToken: number; why: string }
  | { feasible: false; why: string };

export function planRoom(input: RoomPlanInput): RoomPlan {
  const problem = roomProblem(input);
  if (input.choice === 'auto') {
    const choice = choosePlan(problem, { method: 'exact', sourceName: 'the host' });
    if (!choice.feasible) return { feasible: false, why: asSentence(choice.reason) };
    const { stages, ms } = choice.plan;
    return { feasible: true, stages, msPerToken: ms, why: asSentence(choice.reason) };
  }
  if (input.choice === 'even') {
    const plan = solve(problem, { method: 'even' });
    if (!plan.feasible) return { feasible: false, why: asSentence(plan.reason) };
    const why = 'Layers are dealt equally, as the host asked.';
    return { feasible: true, stages: plan.stages, msPerToken: plan.ms, why };
  }
  return handMadePlan(problem, input.choice, input);
}

/**
 * The planner's problem for this room. Devices may compute with different weight types, and a row's
 * memory is one figure in the problem; so a device's memory is stated as the number of layers that fit
 * it, in units of the room's largest layer.
 */
export function roomProblem({ manifest, contextLength, wire, members }: RoomPlanInput): Problem {
  const { config } = manifest;
  const layers = config.num_hidden_layers;
  const kvBytes = 2 * 4 * config.num_key_value_heads * config.head_dim * contextLength;
  const profiles = members.map((member) => member.profile);
  const largest = (bytesOf: (profile: (typeof profiles)[number]) => number) =>
    Math.max(...profiles.map(bytesOf));
  const layerBytes = largest((profile) => profile.compute.layerBytes) + kvBytes;
  const embedBytes = largest((profile) => profile.compute.embedBytes);
  const headBytes = largest((profile) => profile.compute.headBytes);
  const hiddenBytes = config.hidden_size * bytesPerNumber[wire];

  const memoryOf = ({ id, profile: { compute, budgetBytes } }: MeasuredMember): number => {
    const ends = id === 'host' ? compute.embedBytes + compute.headBytes : 0;
    if (ends > budgetBytes) return 0;
    const fitting = Math.floor((budgetBytes - ends) / (compute.layerBytes + kvBytes));
    return (id === 'host' ? embedBytes + headBytes : 0) + fitting * layerBytes;
  };

  return {
    rows: manifest.rows.map(({ name, kind }) => ({
      name,
      kind,
      memoryBytes: { embed: embedBytes, layer: layerBytes, head: headBytes }[kind],
      outputBytes: kind === 'head' ? 0 : hiddenBytes,
    })),
    devices: members.map((member) => {
      const { compute, callMs } = member.profile;
      const perRow = (embed: number, layer: number, head: number) => [
        embed,
        ...Array.from({ length: layers }, () => layer),
        head,
      ];
      return {
        id: member.id,
        memoryBytes: memoryOf(member),
        rowMs: perRow(compute.embedMs + callMs, compute.layerMs, compute.headMs),
        prefillRowMs: perRow(0, compute.prefillLayerMs, 0),
      };
    }),
    links: members.flatMap((member, index) => linksOf(member, members.slice(0, index))),
    source: 'host',
    pin: { first: 1, last: 1 },
  };
}

/** Both directions of every link to the others; entering a device costs a call to its engine. */
function linksOf(member: MeasuredMember, others: MeasuredMember[]): Problem['links'] {
  return others.flatMap((other) => {
    const link = linkBetween(member, other);
    if (!link) return [];
    const { latencyMs, p90LatencyMs, mbps } = link;
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

function handMadePlan(problem: Problem, stages: Stage[], input: RoomPlanInput): RoomPlan {
  const missing = stages.find(({ device }) => !input.members.some(({ id }) => id === device));
  if (missing)
    return {
      feasible: false,
      why: `The plan gives rows to device ${missing.device}, which is not here.`,
    };
  checkStages(stages, input.manifest.rows.length);
  const msPerToken = priceStages(problem, stages);
  return { feasible: true, stages, msPerToken, why: 'The host chose these stages by hand.' };
}

/** The planner's reasons are clauses; a screen shows sentences. */
function asSentence(reason: string): string {
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
