/** The host as one of its room's devices: its engine made ready, and made anew when it is lost. */
import { errorMessage } from '../../../base/error-message.ts';
import type { Manifest } from '../../../model/manifest.ts';
import type { PieceCache } from '../../../store/piece-cache.ts';
import type { ShardReader } from '../../../store/shard-reader.ts';
import type { Lap } from '../../lap.ts';
import type { HostOptions } from '../../room.ts';
import { type Member } from './members.ts';
import { hasRoomForLayer } from './device-profile.ts';
import {
  type ComputeWith,
  type ComputingDevice,
  createComputingDevice,
  createSelfProof,
  createShardHolder,
  type Job,
  prepareEngine,
  saferThan,
  WrongResult,
} from '../../compute/index.ts';
import type { StageActivity, StageRunnerOptions } from '../../stage/index.ts';

export interface HostDeviceOptions {
  /** The host's own entry among the members: kept up to date here. */
  host: Member;
  room: HostOptions;
  model: Parameters<typeof prepareEngine>[1];
  manifest: Manifest;
  stage: Omit<StageRunnerOptions, 'engine' | 'activity'>;
  onIdle: NonNullable<StageActivity['onIdle']>;
  cache: PieceCache;
  reader: ShardReader;
  /** Aborts when the room ends. */
  signal: AbortSignal;
  onShown: () => void;
  /** It can compute now. */
  onReady: () => void;
  /** What it held is gone; another engine is on its way. */
  onLost: (reason: string) => void;
  /** It computed wrongly, and goes on with what is slower and surer; a sentence for the screen. */
  onFellBack: (sentence: string) => void;
  /** It cannot compute at all; a sentence for the screen. */
  onFailed: (sentence: string) => void;
  onKeepsLayer: (layer: number) => void;
}

export interface HostDevice {
  /** Null until it is ready, and while a lost engine is replaced. */
  readonly device: ComputingDevice | null;
  /** Loads the lap's layers of the host. */
  prepare(lap: Lap, dropFirst: boolean): Promise<void>;
  keepLaps(planVersions: ReadonlySet<number>): Promise<void>;
  /** The embedding's states of these ids. */
  embed(ids: Int32Array): Promise<Float32Array>;
  /** Another device's work done again; rejects where there is no room for one layer more. */
  recompute(job: Job, signal: AbortSignal): Promise<Float32Array>;
  /** Fetches layers that a loss may give it, when nothing else is to do. */
  keepStandby(layers: readonly number[]): Promise<void>;
}

/** An engine that is lost again this soon will be lost again. */
const tooSoonMs = 60_000;

export function createHostDevice(options: HostDeviceOptions): HostDevice {
  const { host, reader, signal } = options;
  let device: ComputingDevice | null = null;
  let lastLostMs = -Infinity;
  /** Set once it has computed wrongly. */
  let fallback: ComputeWith | null = null;

  signal.addEventListener('abort', () => void device?.dispose());

  async function start(): Promise<void> {
    const prepared = await prepareEngine(
      { ...options.room, ...(fallback && { backend: fallback.backend }) },
      { ...options.model, ...(fallback && { weights: fallback.weights }) },
      options.cache,
      (status) => {
        host.status = status;
        options.onShown();
      },
      onLost,
    );
    const { engine, compute, callMs, budgetBytes } = prepared;
    if (signal.aborted) return engine.dispose();
    const { manifest, onKeepsLayer } = options;
    const { contextLength } = options.model;
    const { prefillChunk, weights } = compute;
    const proof = createSelfProof({ engine, manifest, reader, contextLength, prefillChunk });
    const holder = createShardHolder(engine, reader, weights, proof, onKeepsLayer);
    device = createComputingDevice(prepared, holder, {
      ...options.stage,
      activity: {
        onBusy: () => undefined,
        // Every lap ends here with the times of all its stages.
        onStep: () => undefined,
        onIdle: options.onIdle,
      },
    });
    host.profile = { compute, callMs, adapter: engine.info.adapter, budgetBytes };
    host.status = { kind: 'standby', ready: [] };
    options.onReady();
  }

  function onLost(reason: string): void {
    const nowMs = performance.now();
    const isAgain = nowMs - lastLostMs < tooSoonMs;
    lastLostMs = nowMs;
    forgetDevice();
    options.onLost(`This device lost its means to compute: ${reason}`);
    if (isAgain) fail(`it was lost twice in a short time: ${reason}`);
    else start().catch(fail);
  }

  function forgetDevice(): void {
    device?.stop();
    device = null;
    host.profile = null;
    host.layers = [];
  }

  /** Where the layers computed wrongly, another engine takes this one's place if there is a surer one. */
  function fallBack(error: unknown): never {
    const safer = host.profile && saferThan(host.profile.compute);
    if (error instanceof WrongResult && safer) {
      fallback = safer;
      void device?.dispose();
      forgetDevice();
      options.onFellBack(`${error.message} This device starts anew with what is slower and surer.`);
      options.onLost(error.message);
      start().catch(fail);
    }
    throw error;
  }

  function fail(error: unknown): void {
    const reason = errorMessage(error);
    host.status = { kind: 'failed', reason };
    options.onShown();
    options.onFailed(`This device cannot compute: ${reason}`);
  }

  function showMemory(): void {
    host.usedBytes = device?.usedBytes ?? 0;
    host.bytesLoaded = reader.layerBytesFetched;
    options.onShown();
  }

  start().catch(fail);

  return {
    get device() {
      return device;
    },
    async prepare(lap, dropFirst) {
      if (!device) throw new Error('The host is not ready to compute.');
      const preparing = device.prepare(lap, dropFirst, (bytesLoaded, bytesTotal) => {
        host.status = { kind: 'loading', bytesLoaded, bytesTotal };
        showMemory();
      });
      await preparing.catch(fallBack);
      host.status = { kind: 'ready' };
      showMemory();
    },
    embed: (ids) => device?.embed(ids) ?? Promise.reject(new Error('The host is not ready.')),
    recompute(job, signal) {
      if (!device || !host.profile || !hasRoomForLayer(host.profile, device.usedBytes))
        return Promise.reject(new Error('The host has no room for another layer.'));
      return device.recompute(job, signal);
    },
    async keepStandby(layers) {
      // It was only in case: a plan that needs these layers says what is wrong with them.
      await device?.keepStandby(layers, false).catch(() => undefined);
    },
    async keepLaps(planVersions) {
      await device?.keepLaps(planVersions);
      showMemory();
    },
  };
}
