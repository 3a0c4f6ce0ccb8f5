/** Finds devices that compute wrongly or hand nothing on, and has them lose their place. */
import type { Manifest } from '../../../model/manifest.ts';
import type { WireType } from '../../room.ts';
import { createAudits } from './audits/index.ts';
import { createGoldenRecorder, createRecordingTimes } from './golden/index.ts';
import { createRecomputing } from './recomputing.ts';
import { createPenalties } from './penalties.ts';
import { createPenaltyEffects } from './penalty-effects.ts';
import { createCacheMisses } from './cache-misses.ts';
import { type BulkMessage, bytesPerNumber } from '../../protocol/index.ts';
import { type BoundaryTap, createBoundaryTap, type StageFailure } from '../../stage/index.ts';
import type { Peers } from '../../links/index.ts';
import type { Removal } from '../admission/index.ts';
import type { LapRunner } from '../decoding/index.ts';
import type { Caches } from '../kv-cache/index.ts';
import type { HostDevice } from '../host-device/index.ts';
import type { DeviceHandlers, Member, Roster } from '../membership/index.ts';
import type { Plans } from '../planning/index.ts';
import type { SharedModel } from '../weights/index.ts';

export interface VerificationOptions {
  manifest: Manifest;
  wire: WireType;
  roster: Roster;
  removal: Removal;
  peers: Peers;
  sharedModel: SharedModel;
  hostDevice: HostDevice;
  plans: Plans;
  caches: Caches;
  /** Where an answer waits that goes on without the work of a stage that failed. */
  laps: Pick<LapRunner, 'onFailure'>;
}

export interface Verification {
  /** Of what crosses at the host's own stages. */
  readonly boundaryTap: BoundaryTap;
  watching(laps: LapRunner): LapRunner;
  /** A stage, maybe the host's own, could not do its work, or got what it cannot compute with from another device. */
  onStageFailed(member: Member, failure: StageFailure): void;
  /** It is there, and does not hand on what it took in. */
  onKeeper(deviceId: string): void;
  /** One of the two says that it gave what the other never got. */
  onContradiction(giver: string, taker: string): void;
  /** It accused devices of what they did not do; a sentence. */
  onFalseAccusation(deviceId: string, reason: string): void;
  /** Whether the message was for the auditors. */
  onBulk(from: string, message: BulkMessage): boolean;
  onInFlight(count: number): void;
  /** Other devices hold other layers now. */
  onLayersMoved(): void;
  left(member: Member): void;
  readonly handlers: DeviceHandlers<'stage-failed' | 'proved' | 'disproved'>;
}

export function createVerification(options: VerificationOptions): Verification {
  const { manifest, wire, roster, plans, removal, hostDevice, caches, laps } = options;
  const { members } = roster;
  const { hidden_size: hiddenSize, max_position_embeddings: contextLength } = manifest.config;
  const boundaryTap = createBoundaryTap(hiddenSize * bytesPerNumber[wire]);
  const effects = createPenaltyEffects({ roster, plans, removal });
  const penalties = createPenalties(effects);
  const cacheMisses = createCacheMisses({
    isInUse: (sequence) => caches.isInUse(sequence),
    tidy: () => caches.tidy(),
    accuse: (accuser, accused, reason) => penalties.accuse(accuser, accused, reason),
  });
  const recomputing = createRecomputing(options);
  const verdicts = {
    onWrong(member: Member, reason: string): void {
      distrustCaches();
      penalties.blame(member, reason);
    },
    onAccused(accuser: Member, accused: Member, reason: string): void {
      distrustCaches();
      penalties.accuse(accuser, accused, reason);
    },
  };
  const audits = createAudits({
    members,
    hiddenSize,
    wire,
    boundaryTap,
    tell: (deviceId, message) => roster.tell(deviceId, message),
    recomputing,
    verdicts,
  });
  const recordingTimes = manifest.golden
    ? null
    : createRecordingTimes(
        createGoldenRecorder({
          config: manifest.config,
          contextLength,
          members,
          embed: (ids) => hostDevice.embed(ids),
          ask: (deviceId, job) =>
            deviceId === 'host'
              ? recomputing.onHost(job, new AbortController().signal).catch(() => null)
              : recomputing.onDevice(deviceId, job),
          onWrong: (member, reason) => verdicts.onWrong(member, reason),
        }),
      );

  /** Whatever the devices' caches hold may come of wrong work. */
  function distrustCaches(): void {
    for (const id of members.keys()) caches.lost(id);
  }

  function onStageFailed(member: Member, { blames, fault, ...failure }: StageFailure): void {
    const blamed = blames === null ? member : members.get(blames);
    if (blamed === member) penalties.blame(member, failure.reason);
    else if (blamed && fault === 'request') cacheMisses.report(member, blamed, failure);
    else if (blamed) penalties.accuse(member, blamed, failure.reason);
    // The answer or cache rebuild that it happened to begins again where it can.
    caches.rebuilds.failed(failure.sequence, failure.reason);
    laps.onFailure(failure);
  }

  return {
    boundaryTap,
    watching: (watched) => audits.watching(watched),
    onStageFailed,
    onKeeper(deviceId) {
      const member = members.get(deviceId);
      if (member)
        penalties.stall(member, 'It took in work for a long time, and handed nothing on.');
    },
    onContradiction(giver, taker) {
      const [one, other] = [members.get(giver), members.get(taker)];
      if (one && other)
        effects.part(one, other, `What ${giver} says it gave, ${taker} says it never got.`);
    },
    onFalseAccusation(deviceId, reason) {
      const member = members.get(deviceId);
      if (member) penalties.blame(member, reason);
    },
    onBulk(from, { header, body }) {
      if (header.kind === 'boundary-states') audits.onSeen(from, header, body.slice());
      else if (header.kind === 'recomputed')
        recomputing.onAnswer(from, header.request, body.slice());
      else return false;
      return true;
    },
    onInFlight(count) {
      audits.onInFlight(count);
      recordingTimes?.onInFlight(count);
    },
    onLayersMoved: () => recordingTimes?.onLayersMoved(),
    left(member) {
      penalties.left(member);
      cacheMisses.left(member);
      recomputing.left(member.id);
    },
    handlers: {
      'stage-failed': onStageFailed,
      proved: (member) => penalties.proved(member),
      disproved: (member, { reason }) => penalties.disproved(member, reason),
    },
  };
}
