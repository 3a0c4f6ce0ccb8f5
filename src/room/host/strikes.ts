/**
 * What becomes of a device that computed wrongly. The first time it gets no rows until it has proven its own
 * once more; the second time it is dropped, and everybody hears of it. To be slow is not to be wrong: a device
 * that takes long over its proof keeps its place, and gets rows again when it has answered.
 */
import type { Member } from './members.ts';

export interface Strikes {
  /** Its work was wrong, or failed. What else goes wrong while it proves itself is the same failure. */
  blame(member: Member, reason: string): void;
  /** `accuser` says so of a frame that `accused` sent to it. */
  accuse(accuser: Member, accused: Member, reason: string): void;
  /** It has run all its rows on the model's golden states, and they are right. */
  proved(member: Member): void;
  /** They are not. */
  disproved(member: Member, reason: string): void;
  left(member: Member): void;
}

export interface StrikesOptions {
  /** No rows for it until `restore`, and a proof of those that it holds. */
  suspend: (member: Member, reason: string) => void;
  restore: (member: Member) => void;
  /** Out of the room for good. */
  drop: (member: Member, reason: string) => void;
  nowMs?: () => number;
}

/** Two mishaps so far apart have nothing to do with each other. */
const forgivenAfterMs = 20 * 60_000;

export function createStrikes(options: StrikesOptions): Strikes {
  const nowMs = options.nowMs ?? (() => performance.now());
  /** By certificate, so that to leave and come back makes nothing undone. */
  const lastStrikeMs = new Map<string, number>();
  const proving = new Set<Member>();
  /** Whom each device has accused first. */
  const accusations = new Map<Member, Member>();

  function strike(member: Member, reason: string): void {
    const { fingerprint } = member.link ?? {};
    // The host's own page is nobody to be thrown out.
    if (fingerprint === undefined) return;
    const last = lastStrikeMs.get(fingerprint) ?? -Infinity;
    lastStrikeMs.set(fingerprint, nowMs());
    if (nowMs() - last < forgivenAfterMs) {
      proving.delete(member);
      options.drop(member, reason);
      return;
    }
    proving.add(member);
    options.suspend(member, reason);
  }

  function blame(member: Member, reason: string): void {
    if (!proving.has(member)) strike(member, reason);
  }

  return {
    blame,
    accuse(accuser, accused, reason) {
      const first = accusations.get(accuser);
      accusations.set(accuser, first ?? accused);
      // Whoever finds fault with one neighbour after the other is likelier to be at fault itself.
      if (first && first !== accused) blame(accuser, `It says of several devices: ${reason}`);
      else blame(accused, reason);
    },
    proved(member) {
      if (proving.delete(member)) options.restore(member);
    },
    disproved(member, reason) {
      if (proving.has(member)) strike(member, reason);
    },
    left(member) {
      proving.delete(member);
      accusations.delete(member);
    },
  };
}
