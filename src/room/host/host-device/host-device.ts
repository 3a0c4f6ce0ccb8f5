/** The host as one of its room's devices: its engine made ready, and made anew when it is lost. */
import { errorMessage } from '../../../base/error-message.ts';
import type { Manifest } from '../../../model/manifest.ts';
import type { PieceCache } from '../../../store/piece-cache.ts';
import type { ShardReader } from '../../../store/shard-reader.ts';
import type { Lap } from '../../lap.ts';
import type { HostOptions } from '../../room.ts';
import type { ViewStore } from '../../view-store.ts';
import { hasRoomForLayer, type RoomEmitter, type Roster } from '../membership/index.ts';
import {
  type ComputeWith,
  type ComputingDevice,
  createComputingDevice,
  createSelfProof,
  createShardHolder,
  type Job,
  type PreparedEngine,
  prepareEngine,
  saferThan,
  type ShardHolder,
  WrongResult,
} from '../../compute/index.ts';
import type { StageRunnerOptions } from '../../stage/index.ts';

export interface HostDeviceOptions {
  options: HostOptions;
  manifest: Manifest;
  contextLength: number;
  store: Pick<ViewStore, 'update'>;
  /** The host's own entry among the members is kept up to date here. */
  roster: Pick<Roster, 'host' | 'notice' | 'show'>;
  cache: PieceCache;
  /** Where it reads its layers, and hears which of them it keeps. */
  sharedModel: KeptModel;
  /** Told `hostReady` and `hostLost`. */
  events: RoomEmitter;
  /** Aborts when the room ends. */
  signal: AbortSignal;
}

interface KeptModel {
  reader: ShardReader;
  keeps(deviceId: string, layer: number, sha256: readonly string[]): void;
}

/** The way of a frame through the host's own stages. */
export type HostStages = Omit<StageRunnerOptions, 'engine' | 'onBusy' | 'onStep'>;

export interface HostDevice {
  /** Null until it is ready, and while a lost engine is replaced. */
  readonly device: ComputingDevice | null;
  /** Makes its first engine ready. To be called once, when the rest of the room is there to run on it. */
  start(stages: HostStages): void;
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

export function createHostDevice(room: HostDeviceOptions): HostDevice {
  const { store, roster, cache, events, signal } = room;
  const { reader } = room.sharedModel;
  const { host } = roster;
  let device: ComputingDevice | null = null;
  let lastLostMs = -Infinity;
  /** Set once it has computed wrongly. */
  let fallback: ComputeWith | null = null;
  let startAnew: () => void = () => undefined;

  signal.addEventListener('abort', () => void device?.dispose());

  async function startEngine(stages: HostStages): Promise<void> {
    const prepared = await preparedEngine(room, fallback, onEngineLost);
    const { engine, compute, callMs, budgetBytes } = prepared;
    if (signal.aborted) return engine.dispose();
    device = createComputingDevice(prepared, shardHolder(room, prepared), {
      ...stages,
      onBusy: () => undefined,
      // Every lap ends here with the times of all its stages.
      onStep: () => undefined,
    });
    host.profile = { compute, callMs, adapter: engine.info.adapter, budgetBytes };
    host.status = { kind: 'standby', ready: [] };
    if (cache.problem !== null) roster.notice(cache.problem);
    events.emit('hostReady');
  }

  function onEngineLost(reason: string): void {
    const nowMs = performance.now();
    const isAgain = nowMs - lastLostMs < tooSoonMs;
    lastLostMs = nowMs;
    forgetDevice();
    events.emit('hostLost', `This device lost its means to compute: ${reason}`);
    if (isAgain) fail(`it was lost twice in a short time: ${reason}`);
    else startAnew();
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
      roster.notice(`${error.message} This device starts anew with what is slower and surer.`);
      events.emit('hostLost', error.message);
      startAnew();
    }
    throw error;
  }

  function fail(error: unknown): void {
    const reason = errorMessage(error);
    host.status = { kind: 'failed', reason };
    roster.show();
    const sentence = `This device cannot compute: ${reason}`;
    store.update({ waitingFor: { kind: 'failure', sentence } });
  }

  function showMemory(): void {
    host.usedBytes = device?.usedBytes ?? 0;
    host.bytesLoaded = reader.layerBytesFetched;
    roster.show();
  }

  return {
    get device() {
      return device;
    },
    start(stages) {
      startAnew = () => void startEngine(stages).catch(fail);
      startAnew();
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

/** As the room's options have it, or as computes right where that did not. */
function preparedEngine(
  { options, manifest, contextLength, roster, cache }: HostDeviceOptions,
  fallback: ComputeWith | null,
  onLost: (reason: string) => void,
): Promise<PreparedEngine> {
  const { config } = manifest;
  const weights = fallback?.weights ?? options.weights;
  return prepareEngine(
    { ...options, ...(fallback && { backend: fallback.backend }) },
    { config, contextLength, weights },
    cache,
    (status) => {
      roster.host.status = status;
      roster.show();
    },
    onLost,
  );
}

/** Its layers prove themselves once they are loaded, and the room hears which of them the host keeps. */
function shardHolder(
  { manifest, contextLength, sharedModel }: HostDeviceOptions,
  { engine, compute }: PreparedEngine,
): ShardHolder {
  const { reader } = sharedModel;
  const { prefillChunk, weights } = compute;
  const proof = createSelfProof({ engine, manifest, reader, contextLength, prefillChunk });
  return createShardHolder(engine, reader, weights, proof, (layer) =>
    sharedModel.keeps('host', layer, reader.foundHashes(layer)),
  );
}
