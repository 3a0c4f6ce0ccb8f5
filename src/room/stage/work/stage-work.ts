/** The work that one frame brings to a stage. */
import type { RunRequest } from '../../../engine/engine.ts';
import type { FrameHeader, HopTiming } from '../../../transport/index.ts';
import type { Stage } from '../../lap.ts';
import type { Route } from './routes.ts';

export interface Work extends Route {
  /** Who asked for it; null for the host's own work. */
  from: string | null;
  kind: 'token' | 'prompt';
  stage: number;
  sequence: number;
  position: number;
  logitsOf: number;
  input: RunRequest['input'] | { kind: 'fork'; from: number };
  hops: readonly HopTiming[];
  wireMs: number;
  arrivedMs: number;
}

/** Where the work goes on; undefined after the last stage of its lap. */
export function nextStage({ lap, stage }: Work): Stage | undefined {
  return lap.stages.at(stage + 1);
}

/** What may run together. */
export function groupedByStage(batch: Work[]): Work[][] {
  const groups = new Map<string, Work[]>();
  for (const work of batch) {
    const name = `${work.lap.planVersion} ${work.stage}`;
    const group = groups.get(name);
    if (group) group.push(work);
    else groups.set(name, [work]);
  }
  return [...groups.values()];
}

/** How many there are to work on; a fork counts as one. */
export function positionsOf(input: Work['input']): number {
  switch (input.kind) {
    case 'tokens':
      return input.ids.length;
    case 'hidden':
      return input.tokens;
    case 'fork':
      return 1;
  }
}

/** The sequence whose cache is to be copied. Throws one sentence for a payload that says none. */
export function forkSource(from: string, payload: Uint8Array<ArrayBuffer>): number {
  if (payload.byteLength !== 4)
    throw new Error(`${from} sent a fork of ${payload.byteLength} bytes instead of 4`);
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

export function timing(work: Work, startedMs: number, computeMs: number): HopTiming {
  return {
    stage: work.stage,
    queueUs: Math.round((startedMs - work.arrivedMs) * 1000),
    computeUs: Math.round(computeMs * 1000),
    wireUs: Math.round(work.wireMs * 1000),
  };
}

type Step = Pick<Work, 'logitsOf' | 'lap' | 'sequence' | 'position'>;

/** For a frame to the lap's `stage`. */
export function headerFor(
  { logitsOf, lap, sequence, position }: Step,
  stage: number,
  dtype: number,
  hops: readonly HopTiming[],
): FrameHeader {
  return {
    flags: logitsOf,
    dtype,
    planVersion: lap.planVersion,
    sequence,
    step: position,
    stage,
    hops,
  };
}

/** A step of an answer asks for logits at every position; with a draft there are a few of them. */
export function isStep(tokens: number, logitsOf: number): boolean {
  return logitsOf === tokens;
}
