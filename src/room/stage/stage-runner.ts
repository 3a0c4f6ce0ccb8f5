/**
 * Runs this device's stages: a frame comes in, its layers run, a frame goes on to the next stage. The
 * host's first stage starts a lap from token ids and its last one ends it in logits; otherwise host
 * and devices are alike, and a lone host is a lap with no link in it.
 *
 * One run at a time, in the order of `stage-queue.ts`, and nothing here waits on a clock.
 */
import type { Engine, RunRequest, RunResult } from '../../engine/engine.ts';
import { isNotCached } from '../../engine/not-cached.ts';
import type { AllowanceOptions, FrameHeader, HopTiming } from '../../transport/index.ts';
import { createArrivals } from './arrivals.ts';
import { createFailureReports, type StageFailure } from './stage-failures.ts';
import { sendOnward, type Onward } from './departures.ts';
import { createEngineFeed, type EngineJob } from './engine-feed.ts';
import { devicesOf, type Lap } from '../lap.ts';
import { createOpenSequences } from './open-sequences.ts';
import { createProgress, type StageProgress } from './progress.ts';
import type { WireType } from '../room.ts';
import { createRoutes, type Route } from './routes.ts';
import { createStageQueue } from './stage-queue.ts';
import { groupedByStage, headerFor, isStep, positionsOf, timing, type Work } from './stage-work.ts';
import type { BoundaryTap } from './boundary-tap.ts';
import {
  areFinite,
  bytesPerNumber,
  forkCode,
  packHidden,
  unpackHidden,
  wireCode,
} from '../protocol/index.ts';
import { type CacheRebuild, createReplayBuffer, type Replay } from '../replay/index.ts';

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

export interface LapEnd {
  planVersion: number;
  sequence: number;
  /** [positions, vocab_size], of the last positions. */
  logits: Float32Array;
  positions: number;
  /** Position after the last of them. */
  upTo: number;
  hops: readonly HopTiming[];
}

export interface StageRunnerOptions {
  deviceId: string;
  engine: Engine;
  hiddenSize: number;
  contextLength: number;
  headLayer: number;
  wire: WireType;
  /** Most sequences that share one pass over the weights, at this moment. */
  mostTogether: () => number;
  /** That each other device may open here at a time. */
  mostSequences: () => number;
  /** How much that was wrong each other device may send before it is not heard any more. */
  failureReports?: AllowanceOptions;
  /** For the hidden states that are kept for a replacement, see `replay-buffer.ts`. */
  replayBudgetBytes: () => number;
  /** A frame for a device that is gone is lost with it: the end of the link says so. */
  send: (deviceId: string, header: FrameHeader, payload: Uint8Array) => void;
  /** Half the round trip of the link to that device, in ms, as last measured. */
  wireMs: (deviceId: string) => number;
  /** Host: a lap came back. */
  onLapEnd: (end: LapEnd) => void;
  /** Host: a piece of a prompt that asked for no logits has been read by every block, up to `position`. */
  onPieceRead: (piece: { sequence: number; position: number }) => void;
  onFailure: (failure: StageFailure) => void;
  /** Keeps what crosses to and from other devices, where it was asked to. */
  boundaryTap: BoundaryTap;
  onBusy: (busy: boolean) => void;
  /** A step of an answer went through one of this device's stages. */
  onStep: (hop: HopTiming) => void;
  /** This tab's part is done for now, or is its engine's: nothing here for the moment that a token waits for. */
  onIdle?: () => void;
}

export interface StageRunner {
  /** Bytes of the hidden states that it keeps. */
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
  /** Sends kept hidden states into a cache rebuild; false where they are not kept. */
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

/** Who starts and ends every lap. */
const host = 'host';

export function createStageRunner(options: StageRunnerOptions): StageRunner {
  const { deviceId, engine, hiddenSize, headLayer, wire } = options;
  const routes = createRoutes(headLayer);
  const queue = createStageQueue<Work>(options.mostTogether);
  const replayBuffer = createReplayBuffer(
    hiddenSize * bytesPerNumber[wire],
    options.replayBudgetBytes,
  );
  const feed = createEngineFeed({
    next: nextJob,
    mayShare: () => options.mostTogether() > 1,
    onBusy,
  });
  /** Taken from the queue together, and to be run one after the other. */
  let taken: Work[][] = [];
  /** When the engine was last done with something. */
  let doneMs = 0;
  /** Whether what the engine did last went on to another device. */
  let hasHandedOn = false;
  const open = createOpenSequences(options);
  const progress = createProgress();
  const failureReports = createFailureReports(options.onFailure, options.failureReports);
  const arrivals = createArrivals({ ...options, routes, open, failureReports });

  function enqueue(...works: Work[]): void {
    for (const work of works) {
      open.waits(work);
      queue.push(work);
      if (work.input.kind !== 'fork') progress.took(work);
    }
    feed.wake();
  }

  function onBusy(isBusy: boolean): void {
    options.onBusy(isBusy);
    if (!isBusy && hasHandedOn) idle();
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
    return { run: (onLastLayer) => runTogether(next, onLastLayer) };
  }

  async function runTogether(batch: Work[], onLastLayer: () => void): Promise<void> {
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
      // Alone, there is no other device to wait for.
      if (devicesOf(batch[0].lap).size === 1) idle();
      const results = await running;
      // It waited in the engine for what ran before it.
      const startedMs = Math.max(handedOverMs, doneMs);
      doneMs = performance.now();
      // What each of them leads to should be there before one is taken by itself.
      if (runs.length > 1) feed.gather();
      const onward = runs.flatMap(({ work }, index) => finish(work, results[index], startedMs));
      sendOnward(onward, wire, options.send);
      hasHandedOn = onward.length > 0;
    } catch (error) {
      // One that asks for what is not here must not take the others with it.
      if (isNotCached(error) && batch.length > 1)
        for (const work of batch) await runTogether([work], () => undefined);
      else for (const work of batch) if (!routes.isVoid(work)) failureReports.failed(work, error);
    }
  }

  /** After what this task still has to do for a token, and none of its failures if it should fail. */
  function idle(): void {
    if (options.onIdle) queueMicrotask(options.onIdle);
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
    options.send(next.device, headerFor(work, work.stage + 1, forkCode, []), payload);
  }

  /** Ends the lap, or lets it go on; returns what is for another device. */
  function finish(work: Work, result: RunResult, startedMs: number): Onward[] {
    if (routes.isVoid(work)) return [];
    progress.gave(work);
    const hop = timing(work, startedMs, result.computeMs);
    const hops = [...work.hops, hop];
    if (work.kind === 'token') options.onStep(hop);
    if (result.kind === 'logits') {
      const { planVersion } = work.lap;
      const { positions, values: logits } = result;
      const upTo = work.position + positionsOf(work.input);
      options.onLapEnd({ planVersion, sequence: work.sequence, logits, positions, upTo, hops });
      return [];
    }
    const next = nextStage(work);
    const sequence = work.rebuild?.fills ?? work.sequence;
    if (!next || (next.first === headLayer && work.logitsOf === 0)) {
      const layer = work.lap.stages[work.stage].last + 1;
      if (work.rebuild && layer < headLayer)
        replayBuffer.keep({ sequence, layer }, work.position, packHidden(result.values, wire));
      reportPieceRead(work, work.position + result.tokens);
      return [];
    }
    // The head looks at the last positions only: no others need to travel to it.
    const carried =
      next.first === headLayer ? Math.min(work.logitsOf, result.tokens) : result.tokens;
    const skipped = result.tokens - carried;
    const values = result.values.subarray(skipped * hiddenSize);
    const passed = { ...work, position: work.position + skipped, stage: work.stage + 1, hops };
    const { device, first: layer } = next;
    if (device === deviceId) {
      const input = { kind: 'hidden', tokens: carried, values } as const;
      enqueue({ ...passed, input, wireMs: 0, arrivedMs: performance.now() });
      return [];
    }
    if (!areFinite(values)) {
      failureReports.failed(work, 'Its results are not finite numbers.');
      return [];
    }
    const onSent: Onward['onSent'] = (payload) => {
      const { stage, position: step } = passed;
      options.boundaryTap.note(
        { planVersion: work.lap.planVersion, sequence: work.sequence, stage, step },
        payload,
      );
      if (layer < headLayer) replayBuffer.keep({ sequence, layer }, work.position, payload);
    };
    return [{ device, work: passed, tokens: carried, values, onSent }];
  }

  function reportPieceRead(work: Work, position: number): void {
    if (deviceId === host) options.onPieceRead({ sequence: work.sequence, position });
    else {
      const { length } = work.lap.stages;
      const header = headerFor({ ...work, position }, length, wireCode(wire), []);
      options.send(host, header, new Uint8Array(0));
    }
  }

  function nextStage({ lap, stage }: Work): Lap['stages'][number] | undefined {
    return lap.stages.at(stage + 1);
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
    replay({ sequence, position, tokens }) {
      const rebuild = routes.rebuild(sequence);
      // One that is over by now is missed by nobody.
      if (!rebuild) return true;
      const [{ device, first: layer }] = rebuild.stages;
      const payload = replayBuffer.read({ sequence: rebuild.fills, layer }, position, tokens);
      if (!payload) return false;
      const work = { sequence, rebuild, lap: rebuild, position, logitsOf: 0, stage: 0 };
      if (device !== deviceId) {
        options.send(device, headerFor(work, 0, wireCode(wire), []), payload);
        return true;
      }
      const { values } = unpackHidden(payload, wireCode(wire), wire, hiddenSize);
      const input = { kind: 'hidden', tokens, values } as const;
      const arrivedMs = performance.now();
      enqueue({ ...work, from: host, kind: 'prompt', input, hops: [], wireMs: 0, arrivedMs });
      return true;
    },
    start(planVersion, { sequence, position, ids, logitsOf }) {
      const kind = isStep(ids.length, logitsOf) ? 'token' : 'prompt';
      begin(planVersion, { kind, sequence, position, logitsOf, input: { kind: 'tokens', ids } });
    },
    fork(planVersion, { sequence, from, length }) {
      const input = { kind: 'fork', from } as const;
      begin(planVersion, { kind: 'prompt', sequence, position: length, logitsOf: 0, input });
    },
    receive: (from, header, payload) => enqueue(...arrivals(from, header, payload)),
  };
}
