/** Has the engine run the work that shares one pass over the weights, and hands on what comes of it. */
import type { Engine, RunRequest } from '../../engine/engine.ts';
import { isNotCached } from '../../engine/not-cached.ts';
import { devicesOf } from '../lap.ts';
import { forkCode } from '../protocol/index.ts';
import type { ReplayBuffer } from '../replay/index.ts';
import { sendOnward } from './departures.ts';
import type { FinishedWork } from './finished-work.ts';
import type { FailureReports } from './stage-failures.ts';
import type { StageSetting, StageWires } from './stage-options.ts';
import { type EngineFeed, headerFor, nextStage, type Routes, type Work } from './work/index.ts';

export interface BatchRunOptions {
  setting: StageSetting;
  engine: Engine;
  wires: StageWires;
  routes: Routes;
  replayBuffer: ReplayBuffer;
  failureReports: FailureReports;
  feed: Pick<EngineFeed, 'gather'>;
  finish: FinishedWork;
  /** The engine has the work, and there is no other device to wait for. */
  onAlone: () => void;
}

export interface BatchRun {
  /** Runs work of one stage. Reports its failures itself. `onLastLayer` as in `Engine.runBatch`. */
  run(batch: Work[], onLastLayer: () => void): Promise<void>;
  /** Whether what the engine did last went on to another device. */
  readonly hasHandedOn: boolean;
}

export function createBatchRun(options: BatchRunOptions): BatchRun {
  const { engine, wires, routes, replayBuffer, failureReports, feed, finish } = options;
  const { headLayer, wire } = options.setting;
  /** When the engine was last done with something. */
  let doneMs = 0;
  let hasHandedOn = false;

  async function run(batch: Work[], onLastLayer: () => void): Promise<void> {
    const handedOverMs = performance.now();
    try {
      const forks = batch.filter((work) => work.input.kind === 'fork');
      for (const work of forks) await runFork(work);
      const runs = batch.flatMap((work) =>
        work.input.kind === 'fork' ? [] : [{ work, request: requestOf(work, work.input) }],
      );
      const running = engine.runBatch(
        runs.map(({ request }) => request),
        onLastLayer,
      );
      if (devicesOf(batch[0].lap).size === 1) options.onAlone();
      const results = await running;
      // It waited in the engine for what ran before it.
      const startedMs = Math.max(handedOverMs, doneMs);
      doneMs = performance.now();
      // What each of them leads to should be there before one is taken by itself.
      if (runs.length > 1) feed.gather();
      const onward = runs.flatMap(({ work }, index) => finish(work, results[index], startedMs));
      sendOnward(onward, wire, wires.send);
      hasHandedOn = onward.length > 0;
    } catch (error) {
      // One that asks for what is not here must not take the others with it.
      if (isNotCached(error) && batch.length > 1)
        for (const work of batch) await run([work], () => undefined);
      else for (const work of batch) if (!routes.isVoid(work)) failureReports.failed(work, error);
    }
  }

  function requestOf(work: Work, input: RunRequest['input']): RunRequest {
    const { first, last } = work.lap.stages[work.stage];
    const { position, logitsOf } = work;
    const sequence = work.rebuild?.stages[work.stage].cache ?? work.sequence;
    // Without logits to make, the head has nothing to do.
    const lastToRun = last === headLayer && logitsOf === 0 ? last - 1 : last;
    return { first, last: lastToRun, sequence, position, input, ...(logitsOf > 0 && { logitsOf }) };
  }

  async function runFork(work: Work): Promise<void> {
    if (work.input.kind !== 'fork') return;
    const { first, last } = work.lap.stages[work.stage];
    const layers = { first, last };
    await engine.forkSequence(layers, work.input.from, work.sequence, work.position);
    replayBuffer.fork(work.input.from, work.sequence, work.position);
    const next = nextStage(work);
    if (!next || next.first === headLayer) return;
    const payload = new Uint8Array(Uint32Array.of(work.input.from).buffer);
    wires.send(next.device, headerFor(work, work.stage + 1, forkCode, []), payload);
  }

  return {
    run,
    get hasHandedOn() {
      return hasHandedOn;
    },
  };
}
