/**
 * A device's part in the plans that run: it loads the layers that a lap gives it, runs its stages, and drops the
 * layers that no later lap gives it. The host has one for itself, and so does every other tab.
 */
import type { FrameHeader } from '../../transport/index.ts';
import type { PreparedEngine } from './prepare-engine.ts';
import { recompute, type Job } from './recompute.ts';
import { layersOf, type Lap } from '../lap.ts';
import type { ShardHolder } from './shard-holder.ts';
import {
  createStageRunner,
  type LapFork,
  type LapStart,
  type StageProgress,
  type StageRunner,
  type StageRunnerOptions,
} from '../stage/index.ts';
import type { CacheRebuild, Replay } from '../replay/index.ts';

export interface ComputingDevice {
  /** The layers of the laps in use, and of a lap that is being prepared. */
  readonly lapLayers: number[];
  /** Loaded layers that no lap needs now. */
  readonly standbyLayers: number[];
  /** Bytes of its layers and of its replay buffer. */
  readonly usedBytes: number;
  /**
   * Loads the lap's layers for this device and accepts the lap's frames from then on. With `dropFirst`
   * the layers of other laps go before, where both together would not fit. A later call ends an earlier
   * one, which then rejects with an AbortError.
   */
  prepare(
    lap: Lap,
    dropFirst: boolean,
    onProgress: (bytesRead: number, bytesTotal: number) => void,
  ): Promise<void>;
  /**
   * Has these layers at hand in case a lap needs them: loaded beside those of the laps, or only fetched. It takes its
   * time, and ends when a lap is prepared, which keeps what it needs of them.
   */
  keepStandby(layers: readonly number[], isLoaded: boolean): Promise<void>;
  /** These laps are in use: layers that only others needed go. */
  keepLaps(planVersions: ReadonlySet<number>): Promise<void>;
  start(planVersion: number, start: LapStart): void;
  /** Logits of a lap's end that nobody reads any more. */
  giveBack(logits: Float32Array): void;
  fork(planVersion: number, fork: LapFork): void;
  receive(from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>): void;
  release(sequence: number): void;
  /** How far the sequence is on this device's stages of the lap. */
  progress(planVersion: number, sequence: number): StageProgress[];
  /** Releases what others have opened here, other than these and those begun after `upTo`. */
  keepSequences(sequences: readonly number[], upTo: number): void;
  /** Takes the frames of a cache rebuild from now on; `release` with its number ends it. */
  adoptRebuild(rebuild: CacheRebuild): void;
  /** Sends hidden states of the replay buffer into a cache rebuild; false where they are not there any more. */
  replay(replay: Replay): boolean;
  /** The embedding's states [ids.length, hidden_size]; rejects where layer 0 is not held. */
  embed(ids: Int32Array): Promise<Float32Array>;
  /** Repeats another device's work: see `recompute.ts`. */
  recompute(job: Job, signal: AbortSignal): Promise<Float32Array>;
  /** Has every layer prove itself once more; rejects with `WrongResult`. */
  proveAgain(): Promise<void>;
  /** Takes no more work; the engine is left as it is. */
  stop(): void;
  dispose(): Promise<void>;
}

/** More than can begin while a message of the host's is on its way. */
const mostBegunMeanwhile = 64;

function isBegunAfter(upTo: number, sequence: number): boolean {
  return sequence > upTo && sequence <= upTo + mostBegunMeanwhile;
}

/** That no answer has. */
const embedSequence = -1001;

export function createComputingDevice(
  prepared: PreparedEngine,
  holder: ShardHolder,
  options: Omit<StageRunnerOptions, 'engine'>,
): ComputingDevice {
  const { engine } = prepared;
  const runner: StageRunner = createStageRunner({ ...options, engine });
  const laps = new Map<number, Lap>();
  let preparing = new AbortController();
  let standbyLoading = new AbortController();
  let standby: readonly number[] = [];

  function lapLayers(): number[] {
    return [...new Set([...laps.values()].flatMap((lap) => layersOf(lap, options.deviceId)))];
  }

  function release(sequence: number): void {
    runner.release(sequence);
    // Nothing waits for it; a failure here means the engine is gone, which its next run will say.
    engine.releaseSequence(sequence).catch(() => undefined);
  }

  return {
    get lapLayers() {
      return lapLayers().sort((a, b) => a - b);
    },
    get standbyLayers() {
      const needed = new Set(lapLayers());
      return holder.layers().filter((layer) => !needed.has(layer));
    },
    get usedBytes() {
      return holder.memoryBytes() + runner.replayBytes;
    },
    async prepare(lap, dropFirst, onProgress) {
      preparing.abort();
      preparing = new AbortController();
      const { signal } = preparing;
      const layers = layersOf(lap, options.deviceId);
      standbyLoading.abort();
      if (dropFirst || standby.length > 0)
        await holder.keepOnly(dropFirst ? layers : [...lapLayers(), ...layers]);
      standby = [];
      // Known from now on, so that laps that end meanwhile do not take its layers with them.
      laps.set(lap.planVersion, lap);
      await holder.load(layers, onProgress, signal);
      runner.adopt(lap);
    },
    async keepStandby(layers, isLoaded) {
      standbyLoading.abort();
      standbyLoading = new AbortController();
      const { signal } = standbyLoading;
      await holder.fetch(layers, signal);
      if (signal.aborted || !isLoaded) return;
      standby = layers;
      await holder.keepOnly([...lapLayers(), ...layers]);
      await holder.load(layers, () => undefined, signal);
    },
    async keepLaps(planVersions) {
      const newest = Math.max(...planVersions);
      // A lap newer than all of these is one that is being prepared at this moment.
      for (const known of laps.keys())
        if (!planVersions.has(known) && known < newest) laps.delete(known);
      runner.keepOnly(new Set(laps.keys()));
      await holder.keepOnly([...lapLayers(), ...standby]);
    },
    start: (planVersion, start) => runner.start(planVersion, start),
    giveBack: (logits) => engine.giveBack(logits),
    fork: (planVersion, fork) => runner.fork(planVersion, fork),
    receive: (from, header, payload) => runner.receive(from, header, payload),
    release,
    progress: (planVersion, sequence) => runner.progress(planVersion, sequence),
    keepSequences(sequences, upTo) {
      const kept = new Set(sequences);
      for (const sequence of runner.opened())
        if (!kept.has(sequence) && !isBegunAfter(upTo, sequence)) release(sequence);
    },
    adoptRebuild: (rebuild) => runner.adoptRebuild(rebuild),
    replay: (replay) => runner.replay(replay),
    async embed(ids) {
      const input = { kind: 'tokens', ids } as const;
      const at = { first: 0, last: 0, sequence: embedSequence, position: 0 };
      return (await engine.run({ ...at, input })).values;
    },
    recompute: (job, signal) =>
      recompute(
        {
          engine,
          holder,
          hiddenSize: options.hiddenSize,
          prefillChunk: prepared.compute.prefillChunk,
        },
        job,
        signal,
      ),
    proveAgain: () => holder.proveAgain(),
    stop() {
      preparing.abort();
      standbyLoading.abort();
      runner.stop();
    },
    async dispose() {
      preparing.abort();
      await engine.dispose();
    },
  };
}
