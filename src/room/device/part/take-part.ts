/**
 * What a measured device does in a room: meets the others, loads its layers, runs its stages. Each kind of message of
 * the host's has a handler in the file of the part that acts on it; here they come together.
 */
import { errorMessage } from '../../../base/error-message.ts';
import type { Manifest } from '../../../model/manifest.ts';
import type { ShardReader } from '../../../store/shard-reader.ts';
import type { FrameHeader } from '../../../transport/index.ts';
import {
  type ComputingDevice,
  createComputingDevice,
  type PreparedEngine,
  type ShardHolder,
  WrongResult,
} from '../../compute/index.ts';
import type { Peers } from '../../links/index.ts';
import {
  type BulkHandlers,
  bytesPerNumber,
  type DeviceMessage,
  dispatch,
  type Handlers,
  type HostMessage,
  type MessageOf,
} from '../../protocol/index.ts';
import { replayBudgetBytes } from '../../replay/index.ts';
import { type BoundaryTap, createBoundaryTap } from '../../stage/index.ts';
import { createStageWatch } from '../../timing/index.ts';
import type { ViewStore } from '../../view-store.ts';
import type { OwnQuestions } from '../own-questions.ts';
import type { OwnView } from '../own-view.ts';
import { createBoundaryReport } from './boundary-report.ts';
import { createBusyLight } from './busy-light.ts';
import { createCacheHandlers } from './caches.ts';
import { createDeployment } from './deployment.ts';
import { type Allowed, createHoldings } from './holdings.ts';
import type { Inbox, InboxMessage } from './inbox.ts';
import { createLayerOffers, type LayerOffers } from './layer-offers.ts';
import type { LayerSources } from './layer-sources.ts';
import { createPeerLinks, type PeerLinks } from './peer-links.ts';
import { createSelfChecks } from './self-checks.ts';
import type { StatusReporter } from './status-reporter.ts';

export interface PartOptions {
  welcome: MessageOf<HostMessage, 'welcome'>;
  manifest: Manifest;
  prepared: PreparedEngine;
  holder: ShardHolder;
  reader: ShardReader;
  sources: LayerSources;
  peers: Peers;
  inbox: Inbox;
  reporter: StatusReporter;
  own: OwnView;
  store: Pick<ViewStore, 'update' | 'notice' | 'idle'>;
  questions: Pick<OwnQuestions, 'onAnswer'>;
  tell: (message: DeviceMessage) => void;
  /** Ends this device's part with a sentence for the screen. */
  fail: (reason: string) => void;
  /** Leaves for an engine that computes more surely; false where there is none. */
  fallBack: (reason: string) => boolean;
}

export interface DevicePart {
  receive(from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>): void;
  readonly bulkHandlers: Pick<BulkHandlers, 'recompute'>;
  readonly links: Pick<PeerLinks, 'lost'>;
  readonly offers: LayerOffers;
  readonly usedBytes: number;
  setBudget(bytes: number): void;
  /** Drops every layer, and leaves the engine fit for another visit. */
  leave(): Promise<void>;
}

export function takePart(options: PartOptions): DevicePart {
  const { welcome, manifest, prepared, holder, peers, reporter, own, store, tell } = options;
  const { hidden_size: hiddenSize } = manifest.config;
  const layerCount = manifest.layers.length;
  const visiting = new AbortController();
  const allowed: Allowed = { budgetBytes: prepared.budgetBytes, mostSequences: 0 };
  const stageWatch = createStageWatch((stages) => own.show({ stages }));
  const boundaryTap = createBoundaryTap(hiddenSize * bytesPerNumber[welcome.wire]);
  const device = stagesOfPart(options, { allowed, stageWatch, boundaryTap });
  const holdings = createHoldings({ device, allowed, own, reporter, tell });
  const links = createPeerLinks({ deviceId: welcome.deviceId, peers, own, tell });
  const boundaryReport = createBoundaryReport({
    boundaryTap,
    hiddenSize,
    lastBlock: layerCount - 2,
    device,
    peers,
    signal: visiting.signal,
  });

  function isReplacedFor(error: unknown): boolean {
    return error instanceof WrongResult && options.fallBack(errorMessage(error));
  }

  const handlers: Handlers<InboxMessage> = {
    knocking() {
      throw new Error('the host asked this device to wait, which is in already');
    },
    welcome() {
      throw new Error('the host welcomed this device twice');
    },
    ...createDeployment({
      device,
      layerCount,
      holdings,
      reporter,
      store,
      tell,
      isReplacedFor,
      onLapsChanged: () => stageWatch.clear(),
    }),
    ...createSelfChecks({ device, prepared, tell, isReplacedFor }),
    ...createCacheHandlers({ device, allowed, tell }),
    ...links.handlers,
    ...boundaryReport.handlers,
    'layer-sources': (message) => options.sources.learn(message),
    notice: ({ text }) => store.notice(text),
    asking: ({ mode }) => store.update({ asking: mode }),
    answer: (message) => options.questions.onAnswer(message),
  };
  options.inbox.each(
    (message) => dispatch(handlers, message),
    (reason) => options.fail(`The host sent something this app does not understand: ${reason}.`),
  );

  return {
    receive: (from, header, payload) => device.receive(from, header, payload),
    bulkHandlers: boundaryReport.bulkHandlers,
    links,
    offers: createLayerOffers(manifest, options.reader, tell),
    get usedBytes() {
      return device.usedBytes;
    },
    setBudget: (bytes) => holdings.setBudget(bytes),
    async leave() {
      visiting.abort();
      device.stop();
      // An engine that broke has nothing to unload.
      await holder.keepOnly([]).catch(() => undefined);
    },
  };
}

interface StageParts {
  allowed: Allowed;
  stageWatch: ReturnType<typeof createStageWatch>;
  boundaryTap: BoundaryTap;
}

function stagesOfPart(options: PartOptions, parts: StageParts): ComputingDevice {
  const { welcome, manifest, prepared, holder, peers, own, store, tell, fail } = options;
  const { allowed, stageWatch, boundaryTap } = parts;
  const refuseHead = (): void =>
    fail('This device was given the head of the model, which stays on the host.');
  return createComputingDevice(prepared, holder, {
    deviceId: welcome.deviceId,
    hiddenSize: manifest.config.hidden_size,
    contextLength: welcome.contextLength,
    headLayer: manifest.layers.length - 1,
    wire: welcome.wire,
    limits: {
      mostTogether: () => welcome.maxBatch,
      mostSequences: () => allowed.mostSequences,
      replayBudgetBytes: () => replayBudgetBytes(allowed.budgetBytes),
    },
    wires: peers,
    outcomes: {
      onLapEnd: refuseHead,
      onPieceRead: refuseHead,
      onFailure: ({ reason, ...failure }) =>
        tell({ kind: 'stage-failed', ...failure, reason: reason.slice(0, 500) }),
    },
    activity: {
      // The host knows when it computes; only this screen needs to be told.
      onBusy: createBusyLight((isBusy) =>
        own.show({ status: { kind: isBusy ? 'computing' : 'ready' } }),
      ),
      onStep: (hop) => stageWatch.add(hop),
      onIdle: () => store.idle(),
    },
    boundaryTap,
  });
}
