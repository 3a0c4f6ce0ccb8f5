import type { Lap } from './lap.ts';
import type { LapView, PlanView, StageTiming } from '../../room/index.ts';

export interface TimelinePart {
  /** `queue`: arrived, and waiting to be taken up. `rest`: in none of the stages' own figures. */
  kind: 'compute' | 'queue' | 'wire' | 'rest';
  /** Where; for a wire, the device that it leads to. */
  device: string;
  ms: number;
}

/** As the laps went, by the stages of the plan that they went round. */
export function measuredTimeline({ lapMs, stages }: LapView, plan: PlanView): TimelinePart[] {
  const parts = stages.flatMap((timing) =>
    stageTimeline(timing, plan.stages.at(timing.stage)?.device ?? 'host'),
  );
  const restMs = lapMs - totalMs(parts);
  return [...parts, { kind: 'rest' as const, device: 'host', ms: restMs }].filter(
    ({ ms }) => ms > 0,
  );
}

/** One stage of it. */
export function stageTimeline(
  { queueMs, computeMs, wireMs }: StageTiming,
  device: string,
): TimelinePart[] {
  return [
    { kind: 'wire', device, ms: wireMs },
    { kind: 'queue', device, ms: queueMs },
    { kind: 'compute', device, ms: computeMs },
  ];
}

/** As the plan has it. */
export function predictedTimeline({ parts }: Lap): TimelinePart[] {
  return parts.map((part) =>
    part.kind === 'compute'
      ? { kind: 'compute', device: part.device, ms: part.ms }
      : { kind: 'wire', device: part.to, ms: part.ms },
  );
}

export function totalMs(parts: readonly TimelinePart[]): number {
  return parts.reduce((sum, { ms }) => sum + ms, 0);
}

/** What all parts of these kinds take together. */
export function msOf(parts: readonly TimelinePart[], ...kinds: TimelinePart['kind'][]): number {
  return totalMs(parts.filter(({ kind }) => kinds.includes(kind)));
}
