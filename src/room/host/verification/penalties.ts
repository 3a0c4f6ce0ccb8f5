/**
 * How often a device was at fault, and what that costs it. The first time it gets no layers until it has proven those that
 * it holds; the second time it is dropped. Nobody is dropped on one device's word.
 */
import type { Member } from '../membership/index.ts';

export interface Penalties {
  /** Its work was wrong, or failed. What else goes wrong while it proves itself is the same failure. */
  blame(member: Member, reason: string): void;
  /**
   * `accuser` says so of a frame that `accused` sent to it. Where it says so again, it is believed no more than the
   * other.
   */
  accuse(accuser: Member, accused: Member, reason: string): void;
  /** It handed nothing on for long: it gets layers again once it has proven those that it has. Only the third time counts. */
  stall(member: Member, reason: string): void;
  /** It has run all its layers on the model's golden states, and they are right. */
  proved(member: Member): void;
  /** They are not. */
  disproved(member: Member, reason: string): void;
  left(member: Member): void;
}

/** What is done to whoever is found at fault. */
export interface PenaltyEffects {
  /** No layers for it until `restore`, and a proof of those that it holds. */
  suspend: (member: Member, reason: string) => void;
  restore: (member: Member) => void;
  /** They are not to follow each other in a lap any more, since nobody can tell which of the two is at fault. */
  part: (one: Member, other: Member, reason: string) => void;
  /** Out of the room for good. */
  drop: (member: Member, reason: string) => void;
}

export interface PenaltiesOptions extends PenaltyEffects {
  nowMs?: () => number;
}

/** A device whose engine hangs may be honest. One that goes on like that is of no use to the room. */
const stallsForgiven = 2;
/** Two mishaps so far apart have nothing to do with each other. */
export const forgivenAfterMs = 20 * 60_000;

export function createPenalties(options: PenaltiesOptions): Penalties {
  const nowMs = options.nowMs ?? (() => performance.now());
  /** By certificate, so that to leave and come back makes nothing undone. */
  const lastPenaltyMs = new Map<string, number>();
  const proving = new Set<Member>();
  /** When a device handed nothing on, by certificate. */
  const stalls = new Map<string, number[]>();
  /** Whom each device has accused last, and when; both by certificate. */
  const accusations = new Map<string, { accused: string; atMs: number }>();

  function penalise(member: Member, reason: string): void {
    const { fingerprint } = member.link ?? {};
    // The host's own page is nobody to be thrown out.
    if (fingerprint === undefined) return;
    const last = lastPenaltyMs.get(fingerprint) ?? -Infinity;
    lastPenaltyMs.set(fingerprint, nowMs());
    if (nowMs() - last < forgivenAfterMs) {
      proving.delete(member);
      options.drop(member, reason);
      return;
    }
    proving.add(member);
    options.suspend(member, reason);
  }

  function blame(member: Member, reason: string): void {
    if (!proving.has(member)) penalise(member, reason);
  }

  return {
    blame,
    accuse(accuser, accused, reason) {
      const [by, of] = [accuser.link?.fingerprint, accused.link?.fingerprint];
      // The host's own page lies to nobody.
      if (by === undefined) blame(accused, reason);
      else if (of === undefined) blame(accuser, `It says of the host: ${reason}`);
      else {
        const before = accusations.get(by);
        accusations.set(by, { accused: of, atMs: nowMs() });
        const isAgain = before !== undefined && nowMs() - before.atMs < forgivenAfterMs;
        if (!isAgain) blame(accused, reason);
        // Whoever finds fault with one neighbour after the other is likelier to be at fault itself.
        else if (before.accused !== of) blame(accuser, `It says of several devices: ${reason}`);
        else if (!proving.has(accused)) options.part(accuser, accused, reason);
      }
    },
    stall(member, reason) {
      const { fingerprint } = member.link ?? {};
      if (fingerprint === undefined || proving.has(member)) return;
      const recent = (stalls.get(fingerprint) ?? []).filter((at) => nowMs() - at < forgivenAfterMs);
      stalls.set(fingerprint, [...recent, nowMs()]);
      proving.add(member);
      if (recent.length < stallsForgiven) options.suspend(member, reason);
      else options.drop(member, reason);
    },
    proved(member) {
      if (proving.delete(member)) options.restore(member);
    },
    disproved(member, reason) {
      if (proving.has(member)) penalise(member, reason);
    },
    left(member) {
      proving.delete(member);
    },
  };
}
