/**
 * Tells what this device is doing, to its own screen at every change and to the host a few times a
 * second at most: a status must never crowd out a token.
 */
import type { DeviceStatus } from '../../view.ts';

export interface StatusReporter {
  readonly status: DeviceStatus;
  /** A change of kind is reported at once, more of the same kind at intervals: the last one always is. */
  set(status: DeviceStatus): void;
}

const intervalMs = 250;

export function createStatusReporter(
  show: (status: DeviceStatus) => void,
  report: (status: DeviceStatus) => void,
): StatusReporter {
  let status: DeviceStatus = { kind: 'connecting' };
  let reportedMs = -Infinity;
  let later: ReturnType<typeof setTimeout> | undefined;

  function reportNow(): void {
    clearTimeout(later);
    later = undefined;
    reportedMs = performance.now();
    report(status);
  }

  return {
    get status() {
      return status;
    },
    set(next) {
      const isMore = next.kind === status.kind;
      status = next;
      show(status);
      const waitMs = reportedMs + intervalMs - performance.now();
      if (!isMore || waitMs <= 0) reportNow();
      else later ??= setTimeout(reportNow, waitMs);
    },
  };
}
