/**
 * The model's bytes in this room: the host reads them, knows which device keeps which, passes on what others
 * lack, and ends its link to whoever gives bytes that are not the model's.
 */
import type { PieceCache } from '../../store/piece-cache.ts';
import type { ShardReader } from '../../store/shard-reader.ts';
import type { BulkMessage } from '../bulk-message.ts';
import { createModelStore } from '../model-store.ts';
import type { OpenedModel } from './open-model.ts';
import { createPieceTracker, type PieceTracker } from './piece-tracker.ts';
import type { Roster } from './roster.ts';

export interface SharedModelOptions {
  model: OpenedModel;
  cache: PieceCache;
  roster: Roster;
  sendBulk: (deviceId: string, message: Uint8Array) => Promise<void>;
}

export interface SharedModel extends Pick<PieceTracker, 'keeps' | 'sourcesOf'> {
  /** The host's own way to the bytes. */
  reader: ShardReader;
  keepsRow(deviceId: string, row: number): boolean;
  /** Takes a large message about pieces; throws one sentence if nobody asked for it. */
  receive(from: string, message: BulkMessage): void;
  /** The device gave bytes that do not match their hash, or told a hash that is not true. */
  onForged(deviceId: string): void;
  left(deviceId: string): void;
}

export function createSharedModel(options: SharedModelOptions): SharedModel {
  const { roster } = options;
  const { manifest, address, origin: outside } = options.model;
  const { reader, exchange } = createModelStore({
    manifest,
    sha256: address.sha256,
    cache: options.cache,
    outside,
    fetchesForOthers: address.kind === 'given' && address.baseUrl === null,
    holders: (piece) => tracker.holdersOf(piece),
    sendBulk: options.sendBulk,
    onForged,
  });
  const tracker = createPieceTracker({ manifest, outside, onLiar: onForged });

  function onForged(deviceId: string): void {
    tracker.left(deviceId);
    const member = roster.members.get(deviceId);
    if (!member) return;
    roster.notice(
      `${member.label} (${deviceId}) gave bytes that are not the model's, and was removed.`,
    );
    member.link?.close('It gave bytes that are not the model’s.');
  }

  return {
    reader,
    keeps: (deviceId, row, sha256) => tracker.keeps(deviceId, row, sha256),
    sourcesOf: (rows, asker) => tracker.sourcesOf(rows, asker),
    keepsRow: (deviceId, row) =>
      tracker.sourcesOf([row], '').some(({ devices }) => devices.includes(deviceId)),
    receive: (from, message) => exchange.receive(from, message),
    onForged,
    left(deviceId) {
      exchange.lost(deviceId);
      tracker.left(deviceId);
    },
  };
}
