/** What a measured device does in a room: meets the others, loads its layers, runs its stages. */
import type { Manifest } from '../../../model/manifest.ts';
import type { ShardReader } from '../../../store/shard-reader.ts';
import type { FrameHeader } from '../../../transport/index.ts';
import type { BulkMessage } from '../../protocol/bulk-message.ts';
import { createComputingDevice } from '../../compute/computing-device.ts';
import { bytesPerNumber } from '../../protocol/hidden-codec.ts';
import { keptBudgetBytes } from '../../replay/replay-buffer.ts';
import { checkStages, rangesOf, type Lap } from '../../lap.ts';
import { measuredLink } from '../../links/measured-link.ts';
import type { Peers } from '../../links/peers.ts';
import type { PreparedEngine } from '../../compute/prepare-engine.ts';
import type { DeviceMessage, HostMessage } from '../../protocol/control-messages.ts';
import { WrongResult } from '../../compute/self-proof.ts';
import type { ShardHolder } from '../../compute/shard-holder.ts';
import { createStageWatch } from '../../timing/stage-means.ts';
import type { AskingMode, DeviceStatus, DeviceView, PlanView } from '../../view.ts';
import { createWitness } from '../../stage/boundary-tap.ts';
import { createBusyLight } from './busy-light.ts';
import { createErrand } from './single-flight.ts';
import type { Inbox, InboxMessage } from './inbox.ts';
import type { LayerSourcesBook } from './layer-sources.ts';
import type { StatusReporter } from './status-reporter.ts';
import { createTestimony } from './boundary-report.ts';

export interface PartOptions {
  welcome: Extract<HostMessage, { kind: 'welcome' }>;
  manifest: Manifest;
  prepared: PreparedEngine;
  holder: ShardHolder;
  reader: ShardReader;
  sources: LayerSourcesBook;
  peers: Peers;
  tell: (message: DeviceMessage) => void;
  inbox: Inbox;
  /** News of a question of this device's person. */
  onAnswer: (message: Extract<HostMessage, { kind: 'answer' }>) => void;
  reporter: StatusReporter;
  show: (change: Partial<DeviceView>) => void;
  onLull: () => void;
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
  const witness = createWitness(hiddenSize * bytesPerNumber[welcome.wire]);

  const device = createComputingDevice(prepared, holder, {
    deviceId: welcome.deviceId,
    hiddenSize,
    contextLength: welcome.contextLength,
    headLayer: layerCount - 1,
    wire: welcome.wire,
    mostTogether: () => welcome.maxBatch,
    mostSequences: () => mostSequences,
    keptBudgetBytes: () => keptBudgetBytes(budgetBytes),
    send: (deviceId, header, payload) => peers.send(deviceId, header, payload),
    wireMs: (deviceId) => peers.wireMs(deviceId),
    onLapEnd: refuseHead,
    onPieceRead: refuseHead,
    onFailure: ({ reason, ...failure }) =>
      send({ kind: 'stage-failed', ...failure, reason: reason.slice(0, 500) }),
    witness,
    // The host knows when it computes; only this screen needs to be told.
    onBusy: createBusyLight((isBusy) => show({ status: { kind: isBusy ? 'computing' : 'ready' } })),
    onStep: (hop) => stageWatch.add(hop),
    onLull: options.onLull,
  });

  const visiting = new AbortController();
  const testimony = createTestimony({
    witness,
    hiddenSize,
    lastBlock: layerCount - 2,
    recompute: (job, signal) => device.recompute(job, signal),
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    signal: visiting.signal,
  });

  const proof = createErrand(() => device.proveAgain());
  const measurement = createErrand(() => prepared.engine.measure(prepared.compute.weights));
  const linkMeasurement = createErrand((deviceId) => {
    const link = peers.link(deviceId);
    return link ? measuredLink(link) : Promise.resolve(null);
  });

  function idleStatus(): DeviceStatus {
    const { lapLayers, warmLayers } = device;
    return lapLayers.length > 0
      ? { kind: 'ready' }
      : { kind: 'spare', ready: rangesOf(warmLayers) };
  }

  async function keepWarm(layers: readonly number[], isLoaded: boolean): Promise<void> {
    try {
      await device.keepWarm(layers, isLoaded);
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
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof WrongResult && options.fallBack(reason)) return;
      reporter.set({ kind: 'failed', reason });
      send({ kind: 'unable', epoch: lap.epoch, reason: reason.slice(0, 500) });
      return;
    }
    showMemory();
    if (assigned !== lap) return;
    reporter.set(idleStatus());
    send({ kind: 'ready', epoch: lap.epoch });
  }

  async function proveAgain(): Promise<void> {
    try {
      await proof('layers');
      send({ kind: 'proved' });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
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

  async function keepLaps(epochs: number[]): Promise<void> {
    await device.keepLaps(new Set(epochs));
    stageWatch.clear();
    const newest = Math.max(...epochs);
    const plan = plans.get(newest);
    if (plan) options.showPlan({ ...plan, status: 'running' });
    for (const epoch of plans.keys()) if (epoch < newest) plans.delete(epoch);
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
      case 'meet': {
        const { deviceId } = message;
        void peers.meet(message).then((reached) => send({ kind: 'met', deviceId, reached }));
        return;
      }
      case 'measure-again':
        void measureAgain();
        return;
      case 'measure-link':
        void measureLink(message.deviceId);
        return;
      case 'assign': {
        const { epoch, stages, dropFirst, lapMs: predictedMsPerToken, why } = message;
        checkStages(stages, layerCount);
        plans.set(epoch, { epoch, stages, predictedMsPerToken, why, status: 'loading' });
        void assign({ epoch, stages }, dropFirst);
        return;
      }
      case 'layer-sources':
        options.sources.learn(message);
        return;
      case 'keep-laps':
        void keepLaps(message.epochs);
        return;
      case 'prove-again':
        void proveAgain();
        return;
      case 'where': {
        const { epoch, sequence } = message;
        send({ kind: 'progress', epoch, sequence, stages: device.progress(epoch, sequence) });
        return;
      }
      case 'watch':
        witness.watch(message);
        return;
      case 'show':
        testimony.show(message);
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
      case 'keep-warm':
        void keepWarm(message.layers, message.isLoaded);
        return;
      case 'refill':
        device.adoptRefill(message);
        send({ kind: 'refill-ready', sequence: message.sequence });
        return;
      case 'resend':
        if (!device.resend(message)) send({ kind: 'not-kept', sequence: message.sequence });
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
    onBulk: (from, message) => testimony.onBulk(from, message),
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
