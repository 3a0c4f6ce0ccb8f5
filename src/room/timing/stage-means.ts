/**
 * Running means of where a token's time goes, for a screen. They are told about once a second: nobody reads faster, and
 * drawing takes time from the tokens.
 */
import type { HopTiming } from '../../transport/index.ts';
import type { LapTiming } from '../room.ts';
import type { LapView, StageTiming } from '../view.ts';

/** Weight of the newest value in a running mean. */
const newest = 1 / 16;
const leastMsBetween = 1000;

/** The running means of an answer's laps. It takes every lap, and gives the means when it is time to show them again. */
export function createLapWatch(): (planVersion: number, timing: LapTiming) => LapView | null {
  const isDue = createThrottle();
  let mean: LapView | null = null;
  return (planVersion, { lapMs, hops }) => {
    const before = mean?.planVersion === planVersion ? mean : null;
    mean = {
      planVersion,
      lapMs: meanOf(before?.lapMs, lapMs),
      stages: hops.map((hop, index) => meanStage(before?.stages.at(index), hop)),
    };
    return isDue() ? mean : null;
  };
}

export interface StageWatch {
  add(hop: HopTiming): void;
  /** The stages are others from now on. */
  clear(): void;
}

/** The running means of one device's stages; calls `show` when it is time to show them again. */
export function createStageWatch(show: (stages: StageTiming[]) => void): StageWatch {
  const isDue = createThrottle();
  const stages = new Map<number, StageTiming>();
  return {
    add({ stage, queueUs, computeUs, wireUs }) {
      const hop = {
        stage,
        queueMs: queueUs / 1000,
        computeMs: computeUs / 1000,
        wireMs: wireUs / 1000,
      };
      stages.set(stage, meanStage(stages.get(stage), hop));
      if (isDue()) show([...stages.values()].sort((a, b) => a.stage - b.stage));
    },
    clear() {
      stages.clear();
      show([]);
    },
  };
}

function meanStage(before: StageTiming | undefined, now: StageTiming): StageTiming {
  return {
    stage: now.stage,
    queueMs: meanOf(before?.queueMs, now.queueMs),
    computeMs: meanOf(before?.computeMs, now.computeMs),
    wireMs: meanOf(before?.wireMs, now.wireMs),
  };
}

function meanOf(before: number | undefined, value: number): number {
  return before === undefined ? value : before + newest * (value - before);
}

/** True at first, and then again once enough time has passed. */
function createThrottle(): () => boolean {
  let lastMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (nowMs - lastMs < leastMsBetween) return false;
    lastMs = nowMs;
    return true;
  };
}
