/** What a fault did to the answers under way, read from what the screens showed. */
import type { Observation } from './logbook.ts';
import type { FaultKind } from './schedule.ts';

/** A fault that has happened. */
export interface InjectedFault {
  kind: FaultKind;
  machine: number;
  /** Milliseconds since 1970, by this machine's clock. */
  atMs: number;
  /** The device on that machine; null for none. */
  deviceId: string | null;
}

export interface Effect {
  kind: FaultKind;
  /** Until the host's screen showed it: the device gone or failed, or an answer paused; null if it never did. */
  detectionMs: number | null;
  /** The longest that an answer under way waited for its next token, from the fault until the next one; null for none. */
  pauseMs: number | null;
}

export function effectOf(
  fault: InjectedFault,
  next: InjectedFault | undefined,
  host: readonly Observation[],
): Effect {
  const untilMs = next?.atMs ?? Infinity;
  return {
    kind: fault.kind,
    detectionMs: detectionOf(fault, untilMs, host),
    pauseMs: pauseOf(fault, untilMs, host),
  };
}

function detectionOf(
  { kind, atMs, deviceId }: InjectedFault,
  untilMs: number,
  host: readonly Observation[],
): number | null {
  const known = idsAt(host, atMs);
  const seen = host.find((observation) => {
    if (observation.atMs < atMs || observation.atMs >= untilMs) return false;
    if (observation.kind === 'answer') return observation.status === 'paused';
    if (observation.kind !== 'devices') return false;
    if (kind === 'join') return observation.devices.some(({ id }) => !known.has(id));
    return observation.devices.every(({ id, failed }) => id !== deviceId || failed);
  });
  return seen ? seen.atMs - atMs : null;
}

function idsAt(host: readonly Observation[], atMs: number): Set<string> {
  const last = host.findLast(
    (observation) => observation.kind === 'devices' && observation.atMs < atMs,
  );
  return new Set(last?.kind === 'devices' ? last.devices.map(({ id }) => id) : []);
}

function pauseOf(
  { atMs }: InjectedFault,
  untilMs: number,
  host: readonly Observation[],
): number | null {
  const lastMs = new Map<number, { atMs: number; tokens: number }>();
  let longestMs: number | null = null;
  for (const observation of host) {
    if (observation.kind !== 'answer') continue;
    const { index, tokens } = observation;
    const last = lastMs.get(index);
    if (tokens <= (last?.tokens ?? 0)) continue;
    lastMs.set(index, { atMs: observation.atMs, tokens });
    if (!last || observation.atMs < atMs || last.atMs >= untilMs) continue;
    const gapMs = observation.atMs - last.atMs;
    longestMs = Math.max(longestMs ?? 0, gapMs);
  }
  return longestMs;
}
