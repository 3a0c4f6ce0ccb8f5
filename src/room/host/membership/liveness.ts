/**
 * Notices who is missing while the room waits. Whoever is waited for is asked whether they are there, and the room goes
 * on without whoever does not answer, if it can. That costs a device only its layers: it stays in the room until its
 * link ends, and is given layers again when it answers.
 */
import type { Member } from './members.ts';
import { createLivenessProbe, type LivenessProbe } from './liveness-probe.ts';
import type { RoomEmitter } from './room-events.ts';

export interface Liveness {
  /**
   * These devices are waited for until what it returns is called. They are asked after `usualMs`, the time that it
   * usually takes (null where that is not known), and then again and again.
   */
  waitFor(deviceIds: Iterable<string>, usualMs: number | null): () => void;
}

export interface LivenessOptions {
  members: ReadonlyMap<string, Member>;
  /** Told who is `away` and who is `back`. */
  events: RoomEmitter;
}

export interface LivenessWatch extends Liveness {
  /**
   * From now on the room goes on without a silent device if `canDoWithout` says that there is a plan without it. Until this
   * is called the room only waits.
   */
  goOnWhere(canDoWithout: (deviceId: string) => boolean): void;
}

/** Whoever is waited for is asked at least so often: seldom enough to cost nothing. */
const askEveryMs = 1000;

export function createLiveness({ members, events }: LivenessOptions): LivenessWatch {
  const probes = new WeakMap<Member, LivenessProbe>();
  let canDoWithout: (deviceId: string) => boolean = () => false;

  function probeOf(member: Member): LivenessProbe | null {
    const { link } = member;
    if (!link) return null;
    const known = probes.get(member);
    if (known) return known;
    const probe = createLivenessProbe(link, {
      goWithout() {
        if (!canDoWithout(member.id)) return false;
        member.isAway = true;
        events.emit('away', member);
        return true;
      },
      onBack(awayMs) {
        member.isAway = false;
        events.emit('back', member, awayMs);
      },
    });
    probes.set(member, probe);
    return probe;
  }

  function ask(deviceId: string): void {
    const member = members.get(deviceId);
    if (member) probeOf(member)?.ask();
  }

  return {
    goOnWhere(decide) {
      canDoWithout = decide;
    },
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
