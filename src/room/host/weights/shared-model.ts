/**
 * The model's bytes in this room. The host reads them, knows which device keeps which, and passes on what others lack. A
 * device that gives bytes that are not the model's is removed.
 */
import type { PieceCache } from '../../../store/piece-cache.ts';
import type { Piece } from '../../../store/layer-pieces.ts';
import type { ShardReader } from '../../../store/shard-reader.ts';
import { createWeightDisputes, type WeightDisputes } from './weight-disputes.ts';
import type { OpenedModel } from './open-model.ts';
import { createPieceTracker, type PieceTracker } from './piece-tracker.ts';
import type { BulkMessage } from '../../protocol/index.ts';
import { createModelStore } from '../../pieces/index.ts';
import { type DeviceHandlers, nameOf, type Roster } from '../membership/index.ts';

export interface SharedModelOptions {
  model: OpenedModel;
  cache: PieceCache;
  roster: Pick<Roster, 'members' | 'notice'>;
  sendBulk: (deviceId: string, message: Uint8Array) => Promise<void>;
  /** It gave what is not the model's: out of the room, for a reason in a sentence. */
  remove: (deviceId: string, reason: string) => void;
  /** It accuses devices of what they did not do; a sentence. */
  onFalseAccusation: (deviceId: string, reason: string) => void;
}

export interface SharedModel
  extends Pick<PieceTracker, 'keeps' | 'sourcesOf'>, Pick<WeightDisputes, 'accuse' | 'settled'> {
  /** The host's own way to the bytes. */
  reader: ShardReader;
  keepsLayer(deviceId: string, layer: number): boolean;
  /** Takes a large message about pieces; throws one sentence if nobody asked for it. */
  receive(from: string, message: BulkMessage): void;
  left(deviceId: string): void;
  readonly handlers: DeviceHandlers<'keeps-layer' | 'weights-disputed'>;
}

export function createSharedModel(options: SharedModelOptions): SharedModel {
  const { members, notice } = options.roster;
  const { manifest, address, origin: outside } = options.model;
  const tracker = createPieceTracker({ manifest, outside, onFalseAccusation: onWrongWeights });
  const { reader, exchange } = createModelStore({
    manifest,
    sha256: address.sha256,
    cache: options.cache,
    outside,
    fetchesForOthers: address.kind === 'given' && address.baseUrl === null,
    holders: (piece) => tracker.holdersOf(piece),
    sendBulk: options.sendBulk,
    onHashMismatch: (deviceId, piece) => weightDisputes.found(deviceId, piece),
  });
  const weightDisputes = createWeightDisputes({
    tracker,
    ask: (deviceId, piece) =>
      deviceId === 'host' ? ownPiece(piece) : exchange.ask(deviceId, piece),
    onWrongWeights,
    onFalseAccusation: options.onFalseAccusation,
    onApart(accuser, accused) {
      const [one, other] = [members.get(accuser), members.get(accused)];
      if (one && other)
        notice(
          `${nameOf(one)} says that ${nameOf(other)} gave it bytes that are not the model's, and gives this device none such: they pass no more of the model to each other.`,
        );
    },
  });

  function ownPiece(piece: Piece): Promise<Uint8Array<ArrayBuffer> | null> {
    return reader.keptPiece({ ...piece, sha256: null });
  }

  function onWrongWeights(deviceId: string): void {
    tracker.left(deviceId);
    const member = members.get(deviceId);
    if (!member) return;
    notice(`${nameOf(member)} gave bytes that are not the model's, and was removed.`);
    options.remove(deviceId, 'It gave bytes that are not the model’s.');
  }

  return {
    reader,
    keeps: (deviceId, layer, sha256) => tracker.keeps(deviceId, layer, sha256),
    sourcesOf: (layers, asker) =>
      tracker.sourcesOf(layers, asker).map((source) => ({
        ...source,
        devices: source.devices.filter((device) => !weightDisputes.areApart(device, asker)),
      })),
    keepsLayer: (deviceId, layer) =>
      tracker.sourcesOf([layer], '').some(({ devices }) => devices.includes(deviceId)),
    receive: (from, message) => exchange.receive(from, message),
    accuse: (accuser, accused, place) => weightDisputes.accuse(accuser, accused, place),
    settled: () => weightDisputes.settled(),
    left(deviceId) {
      exchange.lost(deviceId);
      tracker.left(deviceId);
      weightDisputes.left(deviceId);
    },
    handlers: {
      'keeps-layer': ({ id }, { layer, sha256 }) => tracker.keeps(id, layer, sha256),
      'weights-disputed': ({ id }, dispute) => weightDisputes.accuse(id, dispute.deviceId, dispute),
    },
  };
}
