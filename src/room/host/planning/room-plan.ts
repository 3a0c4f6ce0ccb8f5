/** From what the members measured to the stages they run: builds the planner's problem and asks it. */
import type { ModelConfig } from '../../../model/config.ts';
import type { Manifest } from '../../../model/manifest.ts';
import { priceStages, solve, type Problem } from '../../../planner/index.ts';
import { checkStages, hopsOf, type Stage } from '../../lap.ts';
import type { PlanChoice, WireType } from '../../room.ts';
import { fitAdvice } from './fit-advice.ts';
import type { Choose } from './plan-chooser.ts';
import { bytesPerNumber } from '../../protocol/index.ts';
import { replayBudgetBytes } from '../../replay/index.ts';
import { sequenceBytesPerBlock } from '../../memory/index.ts';
import {
  blockMsAt,
  type DeviceProfile,
  linkBetween,
  type MeasuredMember,
  type Member,
} from '../membership/index.ts';

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

export interface FeasibleRoomPlan {
  feasible: true;
  stages: Stage[];
  /** One token's trip round all stages, at the position that the plan was made for. */
  lapMs: number;
  /** How much longer the trip is for each further position, and that position. */
  positionMs: number;
  position: number;
  /** The busiest device, or the slowest transfer: no two tokens follow each other faster. */
  slowestMs: number;
  why: string;
}

export type RoomPlan = FeasibleRoomPlan | { feasible: false; why: string };

export async function planRoom(input: RoomPlanInput, choose: Choose): Promise<RoomPlan> {
  const problem = roomProblem(input);
  const { choice } = input;
  if (choice === 'auto') return chosenPlan(problem, input, choose);
  if (choice !== 'even') return handMadePlan(problem, choice, input);
  const plan = solve(problem, { method: 'even' });
  if (!plan.feasible) return tooSmall(plan.reason, input);
  return priced(problem, plan.stages, 'Layers are dealt equally, as the host asked.', input);
}

/**
 * Tokens a millisecond that a plan brings with so many answers in flight: each answer's next token waits
 * for its own lap, and all of them for the slowest stage.
 */
export function tokensPerMs({ lapMs, slowestMs }: FeasibleRoomPlan, inFlight: number): number {
  return Math.min(inFlight / lapMs, 1 / slowestMs);
}

/** What an answer waits for each of its tokens, with so many in flight. */
export function msPerTokenOf(plan: FeasibleRoomPlan, inFlight: number): number {
  return inFlight / tokensPerMs(plan, inFlight);
}

/** The plan with the shortest lap, or, where many ask and it brings more, the one without a bottleneck. */
async function chosenPlan(
  problem: Problem,
  input: RoomPlanInput,
  choose: Choose,
): Promise<RoomPlan> {
  const { inFlight } = input;
  const quickest = await choose(problem, { objective: 'latency', sourceName: 'the host' });
  if (!quickest.feasible) return tooSmall(quickest.reason, input);
  const lone = priced(problem, quickest.plan.stages, asSentence(quickest.reason), input);
  if (inFlight < 2) return lone;
  const widest = await choose(problem, { objective: 'throughput', sourceName: 'the host' });
  if (!widest.feasible) return lone;
  const why = `${inFlight} answers are in flight, so the work is spread: ${widest.reason}.`;
  const shared = priced(problem, widest.plan.stages, why, input);
  return tokensPerMs(shared, inFlight) > tokensPerMs(lone, inFlight) ? shared : lone;
}

/** Each of a few "would it fit if …" is looked at for no longer, since it is only advice. */
const adviceMs = 100;

function tooSmall(reason: string, input: RoomPlanInput): RoomPlan {
  const advice = fitAdvice({
    members: input.members,
    parameters: parametersOf(input.manifest),
    fits: (members) =>
      solve(roomProblem({ ...input, members }), { timeLimitMs: adviceMs }).feasible,
  });
  return { feasible: false, why: `${asSentence(reason)} ${advice}` };
}

/** A tied head's weights are the embedding's, and counted once. */
function parametersOf({ layers }: Manifest): number {
  const sizes = new Map(
    layers.flatMap(({ tensors }) =>
      tensors.map(({ name, shape }) => [name, shape.reduce((product, size) => product * size, 1)]),
    ),
  );
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** What a plan that runs costs by what is known now; null once one of its devices is not measured any more. */
export function repriced(input: RoomPlanInput, plan: FeasibleRoomPlan): FeasibleRoomPlan | null {
  const known = new Set(input.members.map(({ id }) => id));
  if (plan.stages.some(({ device }) => !known.has(device))) return null;
  return priced(roomProblem(input), plan.stages, plan.why, input);
}

/** What a token of an answer should take on average, from the end of its prompt to its last token. */
export function predictedMsPerToken(
  { lapMs, positionMs, position }: FeasibleRoomPlan,
  { promptTokens, newTokens }: { promptTokens: number; newTokens: number },
): number {
  return lapMs + positionMs * (promptTokens + newTokens / 2 - position);
}

function priced(
  problem: Problem,
  stages: Stage[],
  why: string,
  { members, position }: RoomPlanInput,
): FeasibleRoomPlan {
  const attendMs = new Map(members.map(({ id, profile }) => [id, profile.compute.attendMs]));
  const blocks = (stage: Stage): number =>
    problem.layers.slice(stage.first, stage.last + 1).filter(({ kind }) => kind === 'block').length;
  return {
    feasible: true,
    stages,
    lapMs: priceStages(problem, stages),
    positionMs: stages.reduce(
      (sum, stage) => sum + blocks(stage) * (attendMs.get(stage.device) ?? 0),
      0,
    ),
    position,
    slowestMs: priceStages(problem, stages, { objective: 'throughput' }),
    why,
  };
}

/** Sequences whose caches, at their longest, fit a device's budget beside these layers. */
export function sequencesThatFit(
  { profile, id }: Member,
  layers: readonly number[],
  manifest: Manifest,
  contextLength: number,
): number {
  if (!profile) return 1;
  const { blockBytes, embedBytes, headBytes } = profile.compute;
  const blocks = layers.filter((layer) => manifest.layers[layer].kind === 'block').length;
  if (blocks === 0) return Infinity;
  const ends = id === 'host' ? embedBytes + headBytes : 0;
  const free = computeBytes(profile) - ends - blocks * blockBytes;
  return Math.floor(free / (blocks * sequenceBytesPerBlock(manifest.config, contextLength)));
}

/** Blocks that a device can hold, each with the cache of one sequence. */
export function blocksThatFit(
  { id, profile }: MeasuredMember,
  manifest: Manifest,
  contextLength: number,
): number {
  const { blockBytes, embedBytes, headBytes } = profile.compute;
  const free = computeBytes(profile) - (id === 'host' ? embedBytes + headBytes : 0);
  return Math.floor(free / (blockBytes + sequenceBytesPerBlock(manifest.config, contextLength)));
}

/** What of a device's budget is for weights and caches. */
function computeBytes({ budgetBytes }: DeviceProfile): number {
  return budgetBytes - replayBudgetBytes(budgetBytes);
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

function handMadePlan(problem: Problem, stages: Stage[], input: RoomPlanInput): RoomPlan {
  const missing = stages.find(({ device }) => !input.members.some(({ id }) => id === device));
  if (missing)
    return {
      feasible: false,
      why: `The plan gives layers to device ${missing.device}, which is not here.`,
    };
  checkStages(stages, input.manifest.layers.length);
  for (const { from, to } of hopsOf({ stages })) {
    const isLinked = problem.links.some((link) => link.from === from && link.to === to);
    if (!isLinked)
      return {
        feasible: false,
        why: `The plan passes from device ${from} to device ${to}, and these two cannot reach each other.`,
      };
  }
  return priced(problem, stages, 'The host chose these stages by hand.', input);
}

/** The planner's reasons are clauses; a screen shows sentences. */
function asSentence(reason: string): string {
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
