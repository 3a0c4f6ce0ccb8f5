/**
 * Notices who is missing while the room waits: whoever is waited for is asked whether they are there, and the room goes
 * on without whoever does not answer, if it can. That costs a device no more than its layers: it stays in the room
 * until its link ends, and is given layers again when it answers.
 */
import type { Member } from './members.ts';
import { createLivenessProbe, type LivenessProbe } from './liveness-probe.ts';

export interface Liveness {
  /**
   * These devices are waited for, from now until what it returns is called: they are asked after `usualMs`, the time
   * that it usually takes (null where that is not known), and then again and again.
   */
  waitFor(deviceIds: Iterable<string>, usualMs: number | null): () => void;
}

export interface LivenessOptions {
  members: ReadonlyMap<string, Member>;
  /** Whether there is a plan without the device. Without one the room can only wait. */
  canDoWithout: (deviceId: string) => boolean;
  onAway: (member: Member) => void;
  onBack: (member: Member, awayMs: number) => void;
}

/** Whoever is waited for is asked at least so often: seldom enough to cost nothing. */
const askEveryMs = 1000;

export function createLiveness(options: LivenessOptions): Liveness {
  const probes = new WeakMap<Member, LivenessProbe>();

  function probeOf(member: Member): LivenessProbe | null {
    const { link } = member;
    if (!link) return null;
    const known = probes.get(member);
    if (known) return known;
    const probe = createLivenessProbe(link, {
      goWithout() {
        if (!options.canDoWithout(member.id)) return false;
        member.isAway = true;
        options.onAway(member);
        return true;
      },
      onBack(awayMs) {
        member.isAway = false;
        options.onBack(member, awayMs);
      },
    });
    probes.set(member, probe);
    return probe;
  }

  function ask(deviceId: string): void {
    const member = options.members.get(deviceId);
    if (member) probeOf(member)?.ask();
  }

  return {
    waitFor(deviceIds, usualMs) {
      const devices = [...deviceIds];
      let timer: ReturnType<typeof setTimeout>;
      const askAfter = (ms: number): void => {
        timer = setTimeout(() => {
          devices.forEach(ask);
          askAfter(askEveryMs);
        }, ms);
      };
      askAfter(Math.min(usualMs ?? askEveryMs, askEveryMs));
      return () => clearTimeout(timer);
    },
  };
}
