/** How far the host trusts its devices: their work is looked at, and who computes wrongly loses its place. */
import type { Manifest } from '../../../model/manifest.ts';
import type { WireType } from '../../room.ts';
import { createAudits } from './audits.ts';
import { createGoldenRecorder } from './golden-recorder.ts';
import { createRecomputeRequests } from './recompute-requests.ts';
import { createPenalties } from './penalties.ts';
import { createCacheMisses } from './cache-misses.ts';
import {
  type BulkMessage,
  bytesPerNumber,
  type DeviceMessage,
  type HostMessage,
} from '../../protocol/index.ts';
import { type BoundaryTap, createBoundaryTap, type StageFailure } from '../../stage/index.ts';
import type { LapRunner } from '../decoding/index.ts';
import { type HostDevice, type Member, nameOf } from '../membership/index.ts';

export interface VerificationOptions {
  members: ReadonlyMap<string, Member>;
  manifest: Manifest;
  wire: WireType;
  own: () => HostDevice;
  sendBulk: (deviceId: string, message: Uint8Array) => Promise<void>;
  /** Whether the device has the layer's bytes at hand. */
  keepsLayer: (deviceId: string, layer: number) => boolean;
  /** For every screen of the room. */
  announce: (sentence: string) => void;
  /** What runs on the device is lost, and plans do without it while it is excluded. */
  lose: (member: Member, reason: string) => void;
  /** Whatever the devices' caches hold may come of wrong work. */
  distrustCaches: () => void;
  /** It may get layers again. */
  regain: (member: Member) => void;
  /** Two members are no longer to follow each other in a lap. */
  onSeparated: () => void;
  /** Whether an answer or a cache rebuild uses the sequence, or its cache is kept for reuse. */
  isInUse: (sequence: number) => boolean;
  /** Has every device give up the caches of all sequences but those in use. */
  tidy: () => void;
  /** What goes on without this stage's work begins again. */
  fail: (failure: Omit<StageFailure, 'fault' | 'blames'>) => void;
  /** Out of the room, and never in again. */
  remove: (member: Member, reason: string) => void;
}

export interface Verification {
  /** Of what crosses at the host's own stages. */
  readonly boundaryTap: BoundaryTap;
  watching(laps: LapRunner): LapRunner;
  /** A stage, maybe the host's own, could not do its work, or got from another device what is no work. */
  onStageFailed(member: Member, failure: StageFailure): void;
  /** It is there, and does not hand on what it took in. */
  onKeeper(deviceId: string): void;
  /** One of the two says that it gave what the other never got. */
  onContradiction(giver: string, taker: string): void;
  /** It accuses devices of what they did not do; a sentence. */
  onFalseAccusation(deviceId: string, reason: string): void;
  onProof(member: Member, message: Extract<DeviceMessage, { kind: 'proved' | 'disproved' }>): void;
  /** Whether the message was for the auditors. */
  onBulk(from: string, message: BulkMessage): boolean;
  onInFlight(count: number): void;
  /** Other devices hold other layers now. */
  onLayersMoved(): void;
  left(member: Member): void;
}

export function createVerification(options: VerificationOptions): Verification {
  const { members, manifest, wire } = options;
  const { hidden_size: hiddenSize, max_position_embeddings: contextLength } = manifest.config;
  const boundaryTap = createBoundaryTap(hiddenSize * bytesPerNumber[wire]);
  const tell = (deviceId: string, message: HostMessage): void =>
    members.get(deviceId)?.link?.sendControl(message);

  const penalties = createPenalties({
    suspend(member, reason) {
      member.excluded = reason;
      // It proves the layers that it holds now, before another plan takes them away.
      tell(member.id, { kind: 'prove-again' });
      options.announce(
        `${nameOf(member)} was at fault, and proves its layers before it gets any again: ${reason}`,
      );
      options.lose(member, `${member.label} was at fault; its layers move to the others.`);
    },
    restore(member) {
      member.excluded = null;
      options.announce(`${nameOf(member)} has proven its layers, and takes part again.`);
      options.regain(member);
    },
    part,
    drop(member, reason) {
      options.announce(`${nameOf(member)} was at fault twice, and was dropped: ${reason}`);
      options.remove(member, `This device was at fault twice, and was dropped: ${reason}`);
    },
  });

  function part(one: Member, other: Member, reason: string): void {
    if (one.separated.has(other)) return;
    one.separated.add(other);
    other.separated.add(one);
    options.announce(
      `${nameOf(one)} and ${nameOf(other)} do not follow each other any more, since nobody can tell which of them is right: ${reason}`,
    );
    options.onSeparated();
  }

  function onWrong(member: Member, reason: string): void {
    options.distrustCaches();
    penalties.blame(member, reason);
  }

  const cacheMisses = createCacheMisses({
    isInUse: options.isInUse,
    tidy: options.tidy,
    accuse: (accuser, accused, reason) => penalties.accuse(accuser, accused, reason),
  });
  const requests = createRecomputeRequests(options.sendBulk);
  const audits = createAudits({
    members,
    hiddenSize,
    wire,
    boundaryTap,
    tell,
    keeps(deviceId, { first, last }) {
      for (let layer = first; layer <= last; layer++)
        if (!options.keepsLayer(deviceId, layer)) return false;
      return true;
    },
    askDevice: (deviceId, job) => requests.ask(deviceId, job),
    askHost: (job, signal) => options.own().recompute(job, signal),
    onWrong,
    onAccused(accuser, accused, reason) {
      options.distrustCaches();
      penalties.accuse(accuser, accused, reason);
    },
  });

  const goldenRecorder = manifest.golden
    ? null
    : createGoldenRecorder({
        config: manifest.config,
        contextLength,
        members,
        embed: (ids) => options.own().embed(ids),
        ask: (deviceId, job) =>
          deviceId === 'host'
            ? options
                .own()
                .recompute(job, new AbortController().signal)
                .catch(() => null)
            : requests.ask(deviceId, job),
        onWrong,
      });
  let inFlight = 0;
  let recording: AbortController | null = null;
  /** Something moved since the book was last gone through. */
  let isOwed = false;

  function record(): void {
    isOwed = true;
    if (!goldenRecorder || recording || inFlight > 0) return;
    isOwed = false;
    recording = new AbortController();
    // A device that cannot now may when the layers have moved again.
    void goldenRecorder
      .work(recording.signal)
      .catch(() => undefined)
      .finally(() => {
        recording = null;
        if (isOwed) record();
      });
  }

  return {
    boundaryTap,
    watching: (laps) => audits.watching(laps),
    onStageFailed(member, { blames, fault, ...failure }) {
      const blamed = blames === null ? member : members.get(blames);
      if (blamed === member) penalties.blame(member, failure.reason);
      else if (blamed && fault === 'request') cacheMisses.report(member, blamed, failure);
      else if (blamed) penalties.accuse(member, blamed, failure.reason);
      options.fail(failure);
    },
    onKeeper(deviceId) {
      const member = members.get(deviceId);
      if (member)
        penalties.stall(member, 'It took in work for a long time, and handed nothing on.');
    },
    onContradiction(giver, taker) {
      const [one, other] = [members.get(giver), members.get(taker)];
      if (one && other) part(one, other, `What ${giver} says it gave, ${taker} says it never got.`);
    },
    onFalseAccusation(deviceId, reason) {
      const member = members.get(deviceId);
      if (member) penalties.blame(member, reason);
    },
    onProof(member, message) {
      if (message.kind === 'proved') penalties.proved(member);
      else penalties.disproved(member, message.reason);
    },
    onBulk(from, { header, body }) {
      if (header.kind === 'boundary-states') audits.onSeen(from, header, body.slice());
      else if (header.kind === 'recomputed') requests.onAnswer(from, header.request, body.slice());
      else return false;
      return true;
    },
    onInFlight(count) {
      inFlight = count;
      audits.onInFlight(count);
      if (count > 0) recording?.abort();
      else record();
    },
    onLayersMoved: record,
    left(member) {
      penalties.left(member);
      cacheMisses.left(member);
      requests.left(member.id);
    },
  };
}
