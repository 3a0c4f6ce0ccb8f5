/** What a measured device does in a room: meets the others, loads its layers, runs its stages. */
import { errorMessage } from '../../../base/error-message.ts';
import type { Manifest } from '../../../model/manifest.ts';
import type { ShardReader } from '../../../store/shard-reader.ts';
import type { FrameHeader } from '../../../transport/index.ts';
import { checkStages, rangesOf, type Lap } from '../../lap.ts';
import type { AskingMode, DeviceStatus, DeviceView, PlanView } from '../../view.ts';
import { createBusyLight } from './busy-light.ts';
import { createSingleFlight } from './single-flight.ts';
import type { Inbox, InboxMessage } from './inbox.ts';
import type { LayerSources } from './layer-sources.ts';
import type { StatusReporter } from './status-reporter.ts';
import { createBoundaryReport } from './boundary-report.ts';
import {
  type BulkMessage,
  bytesPerNumber,
  type DeviceMessage,
  type HostMessage,
} from '../../protocol/index.ts';
import {
  createComputingDevice,
  type PreparedEngine,
  type ShardHolder,
  WrongResult,
} from '../../compute/index.ts';
import { replayBudgetBytes } from '../../replay/index.ts';
import { measuredLink, type Peers } from '../../links/index.ts';
import { createStageWatch } from '../../timing/index.ts';
import { createBoundaryTap } from '../../stage/index.ts';

export interface PartOptions {
  welcome: Extract<HostMessage, { kind: 'welcome' }>;
  manifest: Manifest;
  prepared: PreparedEngine;
  holder: ShardHolder;
  reader: ShardReader;
  sources: LayerSources;
  peers: Peers;
  tell: (message: DeviceMessage) => void;
  inbox: Inbox;
  /** News of a question of this device's person. */
  onAnswer: (message: Extract<HostMessage, { kind: 'answer' }>) => void;
  reporter: StatusReporter;
  show: (change: Partial<DeviceView>) => void;
  onIdle: () => void;
  showPlan: (plan: PlanView) => void;
  showAsking: (mode: AskingMode) => void;
  /** Ends this device's part with a sentence for the screen. */
  fail: (reason: string) => void;
  /** A sentence of the host's for the screen. */
  notice: (sentence: string) => void;
  /** Leaves for an engine that computes more surely; false where there is none. */
  fallBack: (reason: string) => boolean;
}

export interface DevicePart {
  receive(from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>): void;
  /** Whether the message was for this part. */
  onBulk(from: string, message: BulkMessage): boolean;
  /** `fault` says how it broke the rules, where its link was ended for that. */
  lostPeer(deviceId: string, fault: string | null): void;
  /** This layer has been loaded, so its pieces can be passed on. */
  keeps(layer: number): void;
  /** Layers kept from earlier visits. */
  tellKeptLayers(): Promise<void>;
  readonly usedBytes: number;
  setBudget(bytes: number): void;
  /** Drops every layer, and leaves the engine fit for another visit. */
  leave(): Promise<void>;
}

export function takePart(options: PartOptions): DevicePart {
  const {
    welcome,
    manifest,
    prepared,
    holder,
    peers,
    reader,
    reporter,
    show,
    tell: send,
  } = options;
  const layerCount = manifest.layers.length;
  let assigned: Lap | null = null;
  const plans = new Map<number, PlanView>();
  let budgetBytes = prepared.budgetBytes;
  let mostSequences = 0;

  const stageWatch = createStageWatch((stages) => show({ stages }));
  const { hidden_size: hiddenSize } = manifest.config;
  const boundaryTap = createBoundaryTap(hiddenSize * bytesPerNumber[welcome.wire]);

  const device = createComputingDevice(prepared, holder, {
    deviceId: welcome.deviceId,
    hiddenSize,
    contextLength: welcome.contextLength,
    headLayer: layerCount - 1,
    wire: welcome.wire,
    mostTogether: () => welcome.maxBatch,
    mostSequences: () => mostSequences,
    replayBudgetBytes: () => replayBudgetBytes(budgetBytes),
    send: (deviceId, header, payload) => peers.send(deviceId, header, payload),
    wireMs: (deviceId) => peers.wireMs(deviceId),
    onLapEnd: refuseHead,
    onPieceRead: refuseHead,
    onFailure: ({ reason, ...failure }) =>
      send({ kind: 'stage-failed', ...failure, reason: reason.slice(0, 500) }),
    boundaryTap,
    // The host knows when it computes; only this screen needs to be told.
    onBusy: createBusyLight((isBusy) => show({ status: { kind: isBusy ? 'computing' : 'ready' } })),
    onStep: (hop) => stageWatch.add(hop),
    onIdle: options.onIdle,
  });

  const visiting = new AbortController();
  const boundaryReport = createBoundaryReport({
    boundaryTap,
    hiddenSize,
    lastBlock: layerCount - 2,
    recompute: (job, signal) => device.recompute(job, signal),
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    signal: visiting.signal,
  });

  const proof = createSingleFlight(() => device.proveAgain());
  const measurement = createSingleFlight(() => prepared.engine.measure(prepared.compute.weights));
  const linkMeasurement = createSingleFlight((deviceId) => {
    const link = peers.link(deviceId);
    return link ? measuredLink(link) : Promise.resolve(null);
  });

  function idleStatus(): DeviceStatus {
    const { lapLayers, standbyLayers } = device;
    return lapLayers.length > 0
      ? { kind: 'ready' }
      : { kind: 'standby', ready: rangesOf(standbyLayers) };
  }

  async function keepStandby(layers: readonly number[], isLoaded: boolean): Promise<void> {
    try {
      await device.keepStandby(layers, isLoaded);
    } catch {
      // It was only in case: a plan that needs these layers says what is wrong with them.
    }
    showMemory();
    if (device.lapLayers.length === 0) reporter.set(idleStatus());
  }

  function showMemory(): void {
    show({
      layers: rangesOf(device.lapLayers),
      memory: { budgetBytes, usedBytes: device.usedBytes },
    });
  }

  async function assign(lap: Lap, dropFirst: boolean): Promise<void> {
    assigned = lap;
    try {
      await device.prepare(lap, dropFirst, (bytesLoaded, bytesTotal) =>
        reporter.set({ kind: 'loading', bytesLoaded, bytesTotal }),
      );
    } catch (error) {
      if (assigned !== lap) return;
      const reason = errorMessage(error);
      if (error instanceof WrongResult && options.fallBack(reason)) return;
      reporter.set({ kind: 'failed', reason });
      send({ kind: 'unable', planVersion: lap.planVersion, reason: reason.slice(0, 500) });
      return;
    }
    showMemory();
    if (assigned !== lap) return;
    reporter.set(idleStatus());
    send({ kind: 'ready', planVersion: lap.planVersion });
  }

  async function proveAgain(): Promise<void> {
    try {
      await proof('layers');
      send({ kind: 'proved' });
    } catch (error) {
      const reason = errorMessage(error);
      if (error instanceof WrongResult && options.fallBack(reason)) return;
      send({ kind: 'disproved', reason: reason.slice(0, 500) });
    }
  }

  /** A layer whose hashes nobody knows cannot be checked by whoever gets it, so it is not offered. */
  function keeps(layer: number): void {
    const isHashed = manifest.layers[layer].tensors.every(
      ({ file }) => manifest.files[file].pieceSha256 !== undefined,
    );
    const hashes = isHashed ? [] : reader.foundHashes(layer);
    if (isHashed || hashes.length > 0) send({ kind: 'keeps-layer', layer, sha256: hashes });
  }

  function refuseHead(): void {
    options.fail('This device was given the head of the model, which stays on the host.');
  }

  async function keepLaps(planVersions: number[]): Promise<void> {
    await device.keepLaps(new Set(planVersions));
    stageWatch.clear();
    const newest = Math.max(...planVersions);
    const plan = plans.get(newest);
    if (plan) options.showPlan({ ...plan, status: 'running' });
    for (const planVersion of plans.keys()) if (planVersion < newest) plans.delete(planVersion);
    showMemory();
    reporter.set(idleStatus());
  }

  async function measureLink(deviceId: string): Promise<void> {
    const profile = await linkMeasurement(deviceId);
    send({ kind: 'link', deviceId, profile, fault: null });
  }

  /** Layers that are held share memory and time with what is measured: then it is left to the laps. */
  async function measureAgain(): Promise<void> {
    const isFree = device.lapLayers.length === 0;
    // An engine that fails says so by other ways.
    const measured = isFree ? await measurement('compute').catch(() => null) : null;
    send({ kind: 'measured', compute: measured });
  }

  function handle(message: InboxMessage): void {
    switch (message.kind) {
      case 'knocking':
        throw new Error('the host asked this device to wait, which is in already');
      case 'welcome':
        throw new Error('the host welcomed this device twice');
      case 'connect': {
        const { deviceId } = message;
        void peers.meet(message).then((reached) => send({ kind: 'connected', deviceId, reached }));
        return;
      }
      case 'measure-again':
        void measureAgain();
        return;
      case 'measure-link':
        void measureLink(message.deviceId);
        return;
      case 'deploy': {
        const { planVersion, stages, dropFirst, lapMs: predictedMsPerToken, why } = message;
        checkStages(stages, layerCount);
        plans.set(planVersion, {
          planVersion,
          stages,
          predictedMsPerToken,
          why,
          status: 'loading',
        });
        void assign({ planVersion, stages }, dropFirst);
        return;
      }
      case 'layer-sources':
        options.sources.learn(message);
        return;
      case 'keep-laps':
        void keepLaps(message.planVersions);
        return;
      case 'prove-again':
        void proveAgain();
        return;
      case 'report-progress': {
        const { planVersion, sequence } = message;
        send({
          kind: 'progress',
          planVersion,
          sequence,
          stages: device.progress(planVersion, sequence),
        });
        return;
      }
      case 'tap-boundary':
        boundaryTap.watch(message);
        return;
      case 'report-boundary':
        boundaryReport.show(message);
        return;
      case 'notice':
        options.notice(message.text);
        return;
      case 'asking':
        options.showAsking(message.mode);
        return;
      case 'answer':
        options.onAnswer(message);
        return;
      case 'release':
        device.release(message.sequence);
        return;
      case 'most-sequences':
        mostSequences = message.most;
        return;
      case 'keep-sequences':
        device.keepSequences(message.sequences, message.upTo);
        return;
      case 'keep-standby':
        void keepStandby(message.layers, message.isLoaded);
        return;
      case 'rebuild-cache':
        device.adoptRebuild(message);
        send({ kind: 'rebuild-ready', sequence: message.sequence });
        return;
      case 'replay':
        if (!device.replay(message)) send({ kind: 'replay-missing', sequence: message.sequence });
        return;
      case 'emulate': {
        const { deviceId, emulation } = message;
        peers.emulate(deviceId, emulation);
        if (deviceId === welcome.deviceId) show({ emulation });
        return;
      }
      case 'left':
        peers.drop(message.deviceId, 'it left the room');
        return;
    }
  }

  options.inbox.each(handle, (reason) =>
    options.fail(`The host sent something this app does not understand: ${reason}.`),
  );

  return {
    get usedBytes() {
      return device.usedBytes;
    },
    setBudget(bytes) {
      budgetBytes = bytes;
      showMemory();
      send({ kind: 'budget', budgetBytes });
    },
    receive: (from, header, payload) => device.receive(from, header, payload),
    onBulk: (from, message) => boundaryReport.onBulk(from, message),
    lostPeer(deviceId, reason) {
      const fault = reason?.slice(0, 500) ?? null;
      if (deviceId !== 'host') send({ kind: 'link', deviceId, profile: null, fault });
    },
    keeps,
    async tellKeptLayers() {
      for (const layer of manifest.layers.keys()) if (await reader.keepsLayer(layer)) keeps(layer);
    },
    async leave() {
      visiting.abort();
      device.stop();
      // An engine that broke has nothing to unload.
      await holder.keepOnly([]).catch(() => undefined);
    },
  };
}
