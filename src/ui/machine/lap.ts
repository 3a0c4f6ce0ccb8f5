import type { DeviceView, LayerRange, PlanView } from '../../room/index.ts';

export type LapPart =
  | { kind: 'compute'; device: string; layers: LayerRange; ms: number }
  | { kind: 'wire'; from: string; to: string; ms: number };

export interface Lap {
  /** In the order in which a token passes them; a lone host is one part. */
  parts: LapPart[];
  computeMs: number;
  /** What the prediction holds beyond computing. */
  wireMs: number;
}

/**
 * Compute times follow from what each device measured of a block and of the head. The rest of the plan's
 * prediction is the wires'; the view has no figure for a link between two devices, so the hops share it
 * evenly and only their sum is a prediction.
 */
export function lapOf(plan: PlanView, devices: readonly DeviceView[], modelLayers: number): Lap {
  const stages = plan.stages.map((stage) => ({
    ...stage,
    ms: computeMs(stage, devices, modelLayers),
  }));
  const hops = stages.filter((stage, index) => {
    return stage.device !== stages[(index + 1) % stages.length].device;
  }).length;
  const total = stages.reduce((sum, stage) => sum + stage.ms, 0);
  const wireMs = hops === 0 ? 0 : Math.max(0, plan.predictedMsPerToken - total);

  const parts = stages.flatMap((stage, index): LapPart[] => {
    const { device, first, last, ms } = stage;
    const next = stages[(index + 1) % stages.length].device;
    const computed: LapPart = { kind: 'compute', device, layers: { first, last }, ms };
    if (next === device) return [computed];
    return [computed, { kind: 'wire', from: device, to: next, ms: wireMs / hops }];
  });
  return { parts, computeMs: total, wireMs };
}

/** What a device's own measurement says of a stage; 0 before there is one. */
export function computeMs(
  stage: LayerRange & { device: string },
  devices: readonly DeviceView[],
  modelLayers: number,
): number {
  const compute = devices.find(({ id }) => id === stage.device)?.compute;
  if (!compute) return 0;
  const head = stage.last === modelLayers - 1 ? 1 : 0;
  const embed = stage.first === 0 ? 1 : 0;
  const blocks = stage.last - stage.first + 1 - head - embed;
  return blocks * compute.blockMs + head * compute.headMs;
}
