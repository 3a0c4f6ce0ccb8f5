/**
 * Runs this device's stages: a frame comes in, its layers run, a frame goes on to the next stage. The
 * host's first stage starts a lap from token ids and its last one ends it in logits; otherwise host
 * and devices are alike, and a lone host is a lap with no link in it.
 *
 * One run at a time, in the order of `stage-queue.ts`, and nothing here waits on a clock.
 */
import type { FrameHeader } from '../../transport/index.ts';
import type { Lap } from '../lap.ts';
import { bytesPerNumber } from '../protocol/index.ts';
import { type CacheRebuild, createReplayBuffer, type Replay } from '../replay/index.ts';
import { createArrivals } from './arrivals.ts';
import { createBatchRun } from './batch-run.ts';
import { createFinishedWork } from './finished-work.ts';
import { createOpenSequences } from './open-sequences.ts';
import { createProgress, type StageProgress } from './progress.ts';
import { createReplaying } from './replaying.ts';
import { createFailureReports } from './stage-failures.ts';
import type { StageRunnerOptions } from './stage-options.ts';
import {
  createEngineFeed,
  createRoutes,
  createStageQueue,
  type EngineJob,
  groupedByStage,
  isStep,
  type Route,
  type Work,
} from './work/index.ts';

export interface LapStart {
  sequence: number;
  /** Position of `ids[0]` in the sequence. */
  position: number;
  ids: Int32Array;
  /** How many of the last positions are to be answered with logits; 0 for a piece of a prompt that goes on. */
  logitsOf: number;
}

export interface LapFork {
  sequence: number;
  /** The sequence whose cache it begins with, and how many positions of it. */
  from: number;
  length: number;
}

export interface StageRunner {
  /** Bytes of its replay buffer. */
  readonly replayBytes: number;
  /** From now on frames of this lap are taken. */
  adopt(lap: Lap): void;
  /** Frames of all other laps are dropped from now on. */
  keepOnly(planVersions: ReadonlySet<number>): void;
  /** Frames of this sequence, or cache rebuild, that are still on their way are dropped. */
  release(sequence: number): void;
  /** Sequences that other devices have opened here. */
  opened(): Set<number>;
  /** How far the sequence is on this device's stages of the lap. */
  progress(planVersion: number, sequence: number): StageProgress[];
  /** From now on frames of this cache rebuild are taken, until `release` with its number. */
  adoptRebuild(rebuild: CacheRebuild): void;
  /** Sends hidden states of the replay buffer into a cache rebuild; false where they are not there any more. */
  replay(replay: Replay): boolean;
  /** Drops every frame from now on. */
  stop(): void;
  /** Host: sends token ids into the first stage of a lap, or of a cache rebuild. */
  start(planVersion: number, start: LapStart): void;
  /** Host: has every stage begin `sequence` with the first `length` positions of another one's cache. */
  fork(planVersion: number, fork: LapFork): void;
  /**
   * A frame from another device. One that belongs to a lap no longer known is dropped in silence: it
   * was under way when the plan changed. Throws one sentence when the sender has no business sending it.
   */
  receive(from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>): void;
}

export function createStageRunner(options: StageRunnerOptions): StageRunner {
  const { engine, limits, wires, outcomes, activity, boundaryTap } = options;
  const { hiddenSize, wire } = options;
  const routes = createRoutes(options.headLayer);
  const queue = createStageQueue<Work>(limits.mostTogether);
  const replayBuffer = createReplayBuffer(
    hiddenSize * bytesPerNumber[wire],
    limits.replayBudgetBytes,
  );
  const feed = createEngineFeed({
    next: nextJob,
    mayShare: () => limits.mostTogether() > 1,
    onBusy,
  });
  /** Taken from the queue together, and to be run one after the other. */
  let taken: Work[][] = [];
  const open = createOpenSequences(limits, options.contextLength);
  const progress = createProgress();
  const failureReports = createFailureReports(outcomes.onFailure, options.failureReports);
  const shared = { setting: options, wires, routes, replayBuffer, failureReports };
  const arrivals = createArrivals({ ...shared, outcomes, boundaryTap, open });
  const finish = createFinishedWork({
    ...shared,
    outcomes,
    activity,
    boundaryTap,
    progress,
    enqueue,
  });
  const batchRun = createBatchRun({ ...shared, engine, feed, finish, onAlone: idle });
  const replay = createReplaying({ ...shared, enqueue });

  function enqueue(work: Work): void {
    wait(work);
    feed.wake();
  }

  function wait(work: Work): void {
    open.waits(work);
    queue.push(work);
    if (work.input.kind !== 'fork') progress.took(work);
  }

  function onBusy(isBusy: boolean): void {
    activity.onBusy(isBusy);
    if (!isBusy && batchRun.hasHandedOn) idle();
  }

  /** After what this task still has to do for a token, and none of its failures if it should fail. */
  function idle(): void {
    if (activity.onIdle) queueMicrotask(activity.onIdle);
  }

  function nextJob(): EngineJob | null {
    while (taken.length === 0) {
      const batch = queue.take();
      if (batch.length === 0) return null;
      for (const work of batch) open.taken(work);
      taken = groupedByStage(batch.filter((work) => !routes.isVoid(work)));
    }
    const [next, ...others] = taken;
    taken = others;
    return { run: (onLastLayer) => batchRun.run(next, onLastLayer) };
  }

  function begin(
    planVersion: number,
    work: Omit<Work, keyof Route | 'from' | 'stage' | 'hops' | 'wireMs' | 'arrivedMs'>,
  ): void {
    const route = routes.of(planVersion, work.sequence);
    if (!route) throw new Error(`plan ${planVersion} is no longer in use`);
    if (!route.rebuild) routes.move(work.sequence, planVersion);
    const arrivedMs = performance.now();
    enqueue({ ...work, ...route, from: null, stage: 0, hops: [], wireMs: 0, arrivedMs });
  }

  return {
    get replayBytes() {
      return replayBuffer.bytes;
    },
    release(sequence) {
      routes.release(sequence);
      replayBuffer.release(sequence);
      open.release(sequence);
      progress.release(sequence);
      failureReports.release(sequence);
    },
    opened: () => open.numbers(),
    progress: (planVersion, sequence) => progress.of(planVersion, sequence),
    adopt: (lap) => routes.adopt(lap),
    keepOnly: (planVersions) => routes.keepOnly(planVersions),
    stop: () => routes.clear(),
    adoptRebuild: (rebuild) => routes.adoptRebuild(rebuild),
    replay,
    start(planVersion, { sequence, position, ids, logitsOf }) {
      const kind = isStep(ids.length, logitsOf) ? 'token' : 'prompt';
      begin(planVersion, { kind, sequence, position, logitsOf, input: { kind: 'tokens', ids } });
    },
    fork(planVersion, { sequence, from, length }) {
      const input = { kind: 'fork', from } as const;
      begin(planVersion, { kind: 'prompt', sequence, position: length, logitsOf: 0, input });
    },
    receive(from, header, payload) {
      for (const work of arrivals(from, header, payload)) wait(work);
      feed.wake();
    },
  };
}
