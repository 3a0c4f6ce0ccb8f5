/**
 * Explains a plan: where a lap's time goes, which limits bind, which other plans were close, and what one
 * more device would save. Every number comes from solving the changed problem.
 */
import { hopsOf, stageMs, type Placement } from './evaluate.ts';
import type { FeasiblePlan, Method } from './plan.ts';
import type { Device, Problem } from './problem.ts';
import { instanceOf, solve, type SolveOptions } from './solve.ts';
import { formatMs } from './words.ts';

export interface ExplainedStage {
  device: string;
  first: number;
  last: number;
  computeMs: number;
  /** Ms to send the result on; 0 if it stays. */
  transferMs: number;
  /** The next device, or the source at the end of the lap; null if the result stays. */
  passesTo: string | null;
  /** How long the device waits during a lap (latency), or between two results (throughput). */
  waitMs: number;
}

export interface Limit {
  /** What is eased: a device's memory or speed is doubled, or a link's latency halved and its bandwidth doubled. */
  kind: 'memory' | 'speed' | 'link';
  /** A device, or `from → to`. */
  where: string;
  /** Ms that this would save. */
  gainMs: number;
}

export interface Alternative {
  /** `without phone` or `solo`, for example. */
  name: string;
  ms: number | null;
  /** One sentence on why it was not chosen. */
  why: string;
}

export interface Explanation {
  stages: ExplainedStage[];
  /** Limits whose easing would help, the most useful first. */
  limits: Limit[];
  alternatives: Alternative[];
  /** For every device but the source, what a second one like it would save. */
  oneMore: { device: string; gainMs: number }[];
}

export interface ExplainOptions extends SolveOptions {
  /** The time limit for each changed problem. Default 200. */
  questionLimitMs?: number;
}

/** The fields of a plan that are needed to explain it. */
export type ExplainablePlan = Pick<FeasiblePlan, 'objective' | 'ms' | 'stages'>;

export function explain(
  problem: Problem,
  plan: ExplainablePlan,
  options: ExplainOptions = {},
): Explanation {
  const settled = withoutSwitching(problem);
  const ask = (changed: Problem, method: Method = 'exact') => {
    const result = solve(changed, {
      ...options,
      onPlan: () => undefined,
      method,
      objective: plan.objective,
      timeLimitMs: options.questionLimitMs ?? 200,
    });
    return result.feasible ? result.ms : null;
  };
  const gainMs = (changed: Problem) => Math.max(0, plan.ms - (ask(changed) ?? plan.ms));
  return {
    stages: explainStages(problem, plan, options),
    limits: findLimits(settled, plan, gainMs),
    alternatives: findAlternatives(settled, plan, ask),
    oneMore: problem.devices
      .filter(({ id }) => id !== problem.source)
      .map((device) => ({ device: device.id, gainMs: gainMs(withOneMore(settled, device)) })),
  };
}

/** The same room without loaded layers: this explains what is possible, not what is worth loading. */
function withoutSwitching(problem: Problem): Problem {
  const fresh = { ...problem };
  delete fresh.switching;
  return fresh;
}

function explainStages(
  problem: Problem,
  plan: ExplainablePlan,
  options: SolveOptions,
): ExplainedStage[] {
  const instance = instanceOf(problem, { ...options, objective: plan.objective });
  const indexOf = new Map(instance.devices.map(({ id }, index) => [id, index]));
  const placement: Placement = plan.stages.map(({ device, first, last }) => ({
    device: indexOf.get(device) ?? -1,
    first,
    last,
  }));
  const hops = hopsOf(instance, placement);
  const busyMs = new Map<number, number>();
  for (const stage of placement)
    busyMs.set(stage.device, (busyMs.get(stage.device) ?? 0) + stageMs(instance, stage));
  return placement.map((stage) => {
    const hop = hops.find(({ afterLayer }) => afterLayer === stage.last);
    return {
      device: instance.devices[stage.device].id,
      first: stage.first,
      last: stage.last,
      computeMs: stageMs(instance, stage),
      transferMs: hop?.ms ?? 0,
      passesTo: hop === undefined ? null : instance.devices[hop.to].id,
      waitMs: Math.max(0, plan.ms - (busyMs.get(stage.device) ?? 0)),
    };
  });
}

/** The id of the entry of `devices` that a device's name in a plan belongs to. */
function entryOf(problem: Problem, name: string): string {
  return problem.devices.find(({ id }) => id === name)?.id ?? name.replace(/#\d+$/, '');
}

function findLimits(
  problem: Problem,
  plan: ExplainablePlan,
  gainMs: (changed: Problem) => number,
): Limit[] {
  const used = [...new Set(plan.stages.map(({ device }) => entryOf(problem, device)))];
  const withDevice = (id: string, change: (device: Device) => Device): Problem => ({
    ...problem,
    devices: problem.devices.map((device) => (device.id === id ? change(device) : device)),
  });
  const limits: Limit[] = used.flatMap((where) => [
    {
      kind: 'memory',
      where,
      gainMs: gainMs(
        withDevice(where, (device) => ({ ...device, memoryBytes: 2 * device.memoryBytes })),
      ),
    },
    { kind: 'speed', where, gainMs: gainMs(withDevice(where, twiceAsFast)) },
  ]);
  const crossed = new Set(
    plan.stages.map(({ device }, index) => {
      const next = plan.stages.at(index + 1)?.device ?? problem.source;
      return `${entryOf(problem, device)} → ${entryOf(problem, next)}`;
    }),
  );
  for (const link of problem.links) {
    const where = `${link.from} → ${link.to}`;
    if (!crossed.has(where)) continue;
    const links = problem.links.map((each) =>
      each === link ? { ...link, latencyMs: link.latencyMs / 2, mbps: link.mbps * 2 } : each,
    );
    limits.push({ kind: 'link', where, gainMs: gainMs({ ...problem, links }) });
  }
  return limits.filter((limit) => limit.gainMs > 1e-9).sort((a, b) => b.gainMs - a.gainMs);
}

function twiceAsFast(device: Device): Device {
  const halve = (times: number[]) => times.map((ms) => ms / 2);
  const { layerMsByBatch, prefillLayerMs, ...rest } = device;
  return {
    ...rest,
    layerMs: halve(device.layerMs),
    ...(prefillLayerMs && { prefillLayerMs: halve(prefillLayerMs) }),
    ...(layerMsByBatch && {
      layerMsByBatch: Object.fromEntries(
        Object.entries(layerMsByBatch).map(([size, times]) => [size, halve(times)]),
      ),
    }),
  };
}

function findAlternatives(
  problem: Problem,
  plan: ExplainablePlan,
  ask: (changed: Problem, method?: Method) => number | null,
): Alternative[] {
  const simple: Method[] = ['solo', 'best-single', 'two-device', 'proportional', 'even'];
  const alternatives: { name: string; ms: number | null }[] = simple.map((method) => ({
    name: method,
    ms: ask(problem, method),
  }));
  const used = [...new Set(plan.stages.map(({ device }) => entryOf(problem, device)))];
  for (const id of used) {
    if (id === problem.source) continue;
    const without = {
      ...problem,
      devices: problem.devices.filter((device) => device.id !== id),
      links: problem.links.filter(({ from, to }) => from !== id && to !== id),
    };
    alternatives.push({ name: `without ${id}`, ms: ask(without) });
  }
  return alternatives
    .map(({ name, ms }) => ({ name, ms, why: whyNot(ms, plan.ms) }))
    .sort((a, b) => (a.ms ?? Infinity) - (b.ms ?? Infinity));
}

function whyNot(ms: number | null, planMs: number): string {
  if (ms === null) return 'the model does not fit, or a link is missing';
  const moreMs = ms - planMs;
  if (Math.abs(moreMs) <= 1e-9 * planMs) return 'it takes the same time';
  // This happens if the planner did not choose the plan.
  if (moreMs < 0) return `it would take ${formatMs(-moreMs)} less`;
  return `it would take ${formatMs(moreMs)} more (${((100 * moreMs) / planMs).toFixed(0)} %)`;
}

/** Adds a second device like this one, with the first's best incoming link between the two. */
function withOneMore(problem: Problem, device: Device): Problem {
  const inside = problem.links.some(({ from, to }) => from === device.id && to === device.id);
  const model = problem.links
    .filter(({ to }) => to === device.id)
    .sort((a, b) => b.mbps - a.mbps || a.latencyMs - b.latencyMs)
    .at(0);
  const links =
    inside || model === undefined
      ? problem.links
      : [...problem.links, { ...model, from: device.id, to: device.id }];
  const devices = problem.devices.map((each) =>
    each === device ? { ...each, count: (each.count ?? 1) + 1 } : each,
  );
  return { ...problem, links, devices };
}
