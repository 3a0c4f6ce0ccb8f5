/**
 * Tells what this device is doing, to its own screen at every change and to the host a few times a
 * second at most: a status must never crowd out a token.
 */
import type { DeviceStatus } from '../view.ts';

export interface StatusReporter {
  readonly status: DeviceStatus;
  /** A change of kind is reported at once, more of the same kind at intervals. */
  set(status: DeviceStatus): void;
}

const intervalMs = 250;

export function createStatusReporter(
  show: (status: DeviceStatus) => void,
  report: (status: DeviceStatus) => void,
): StatusReporter {
  let status: DeviceStatus = { kind: 'connecting' };
  let reportedMs = -Infinity;

  return {
    get status() {
      return status;
    },
    set(next) {
      const now = performance.now();
      const sameKind = next.kind === status.kind;
      status = next;
      show(status);
      if (sameKind && now - reportedMs < intervalMs) return;
      reportedMs = now;
      report(status);
    },
  };
}
