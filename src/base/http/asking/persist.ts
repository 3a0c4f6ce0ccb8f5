/** Tries again what failed in passing: broken and silent connections, wrong answers, busy servers. */
import { TryFailed, FetchFailure, type Fault } from './failure.ts';
import { usualLimits, type HttpLimits, type HttpRequest } from './limits.ts';
import { pauseOrigin, tellSilence, turnAt } from './origin-turns.ts';
import { pause } from '../../pause.ts';

/** The first pause for a busy server that does not say how long. Each further pause is twice as long. */
const firstBusyMs = 1000;

/**
 * Runs `attempt` until it succeeds.
 *
 * @param attempt reports bytes that stay with the next try through `onBytes`, and throws TryFailed for what may
 *   go better the next time
 * @throws FetchFailure after several fruitless tries; what else `attempt` throws; the signal's reason
 */
export async function persist<T>(
  request: HttpRequest,
  attempt: (onBytes: (count: number) => void, limits: HttpLimits) => Promise<T>,
): Promise<T> {
  const { signal } = request;
  const limits = { ...usualLimits, ...request.limits };
  const origin = new URL(request.url).origin;
  const patience = createPatience(request, origin, limits);
  for (;;) {
    const endTurn = await turnAt(origin, signal);
    let brought = 0;
    try {
      return await attempt((count) => (brought += count), limits);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TryFailed)) throw error;
      endTurn();
      await patience.bear(error, brought);
    } finally {
      endTurn();
    }
  }
}

interface Patience {
  /** Waits as long as the fault asks for; throws FetchFailure once it has happened too often. */
  bear(failed: TryFailed, brought: number): Promise<void>;
}

function createPatience(request: HttpRequest, origin: string, limits: HttpLimits): Patience {
  let fruitless = 0;
  let busyAnswers = 0;
  let busyMs = 0;

  function waitForBusy(failed: TryFailed, askedMs: number | null): void {
    if (busyMs >= limits.busyMs) throw busyFailure(request, failed, askedMs);
    const ownMs = firstBusyMs * 2 ** busyAnswers++;
    const waitMs = Math.min(askedMs || ownMs, limits.busyMs - busyMs);
    busyMs += waitMs;
    pauseOrigin(origin, waitMs);
  }

  return {
    async bear(failed, brought) {
      const { fault } = failed;
      if (brought > 0) [busyAnswers, busyMs] = [0, 0];
      if (fault.kind === 'busy') {
        waitForBusy(failed, fault.waitMs);
        return;
      }
      const isFruitful = brought >= leastOf(fault.kind);
      fruitless = isFruitful ? 0 : fruitless + 1;
      if (fruitless >= limits.tries) throw failureOf(request, failed, fault);
      if (fault.kind === 'silent') tellSilence(origin, limits.silenceMs);
      await pause(limits.pauseMs * fruitless, request.signal);
    },
  };
}

/** Bytes that make a try fruitful. A few bytes and then silence, each time again, would never end. */
function leastOf(kind: Fault['kind']): number {
  switch (kind) {
    case 'broken':
      return 1;
    case 'silent':
      return 64 * 1024;
    default:
      return Infinity;
  }
}

function failureOf({ name }: HttpRequest, failed: TryFailed, fault: Fault): FetchFailure {
  const said = `${name} could not be fetched: ${fault.because}`;
  return new FetchFailure(fault.kind, `${said}. ${adviceFor(fault.kind)}`, failed.cause);
}

function adviceFor(kind: Fault['kind']): string {
  switch (kind) {
    case 'unreachable':
    case 'broken':
    case 'silent':
      return "Check this device's connection.";
    case 'wrong':
      return 'Open the model again, or take it from another server.';
    case 'failing':
    case 'busy':
      return 'Try again later.';
  }
}

function busyFailure(
  { name }: HttpRequest,
  failed: TryFailed,
  askedMs: number | null,
): FetchFailure {
  const when = askedMs ? `Try again in ${shownTime(askedMs)}.` : 'Try again later.';
  const sentence = `${name} could not be fetched: ${failed.fault.because}. ${when}`;
  return new FetchFailure('busy', sentence, failed.cause);
}

function shownTime(ms: number): string {
  return ms < 100_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60_000)} minutes`;
}
