/**
 * Gives the devices of a lap the caches of a sequence that they lack: whoever kept the hidden states in
 * front of the missing layers sends them again, and only those layers compute.
 */
import type { LapStart } from '../../stage/stage-runner.ts';
import { LapLost, type Lap, type LapInUse } from '../../lap.ts';
import type { Refill, Resend } from '../../replay/cache-rebuild.ts';
import type { CacheBook } from './cache-map.ts';
import { planRefills, type PlannedRefill } from './rebuild-plan.ts';

export interface RefillsOptions {
  book: CacheBook;
  headLayer: number;
  /** A number that no sequence and no refill has had. */
  nextNumber: () => number;
  /** Has a device take the refill's frames; it says `ready` then. */
  adopt: (deviceId: string, refill: Refill) => void;
  /** Has a device send what it kept. */
  resend: (deviceId: string, resend: Resend) => void;
  /** The host itself: token ids into layer 0. */
  start: (epoch: number, start: LapStart) => void;
  release: (refill: number) => void;
  /** Positions a frame. */
  chunk: (lap: Lap) => number;
}

export interface FillRequest {
  sequence: number;
  /** Token ids of all positions that are to be cached, and possibly more. */
  ids: readonly number[];
  upTo: number;
}

export interface Refills {
  /** Settles when every layer of the lap has the positions up to `upTo`; rejects with `LapLost`. */
  bring(running: LapInUse, request: FillRequest): Promise<void>;
  /** The same while an answer runs on an older lap, whose caches stay as they are. Call `end` in any case. */
  prepare(running: LapInUse, sequence: number): Preparation;
  ready(deviceId: string, refill: number): void;
  /** The device did not keep what it was to send. */
  notKept(deviceId: string, refill: number): void;
  /** A leg could not do its work: what waits for the refill begins again. */
  failed(refill: number, reason: string): void;
  /** False where the piece is none of a refill. */
  onPieceRead(piece: { sequence: number; position: number }): boolean;
  lost(deviceId: string): void;
}

export interface Preparation {
  /** Fills what is missing up to `upTo`; can be called again as the answer grows. */
  fill(request: Omit<FillRequest, 'sequence'>): Promise<void>;
  end(): void;
}

/** The source is gone, or did not keep what was asked of it: another one may have. */
class NotKept extends Error {}

interface Open {
  refill: Refill;
  /** Positions filled so far. */
  reached: number;
  /** Positions sent so far. */
  sent: number;
  waitingFor: Set<string>;
  change: () => void;
  fail: (error: Error) => void;
}

export function createRefills(options: RefillsOptions): Refills {
  const { book, headLayer } = options;
  const open = new Map<number, Open>();

  function begin(running: LapInUse, fills: number, plan: PlannedRefill, isAlone: boolean): Open {
    const sequence = options.nextNumber();
    const stages = plan.legs.map(({ device, first, last, isFilled }) => {
      return { device, first, last, cache: isFilled || isAlone ? fills : sequence };
    });
    const { epoch } = running.lap;
    const refill = { epoch, sequence, fills, source: plan.source, isAlone, stages };
    // The host hears how far it is.
    const devices = new Set(['host', plan.source, ...stages.map(({ device }) => device)]);
    const begun: Open = {
      refill,
      reached: plan.from,
      sent: plan.from,
      waitingFor: devices,
      change: () => undefined,
      fail: () => undefined,
    };
    open.set(sequence, begun);
    return begun;
  }

  function end({ refill, fail }: Open): void {
    if (!open.delete(refill.sequence)) return;
    options.release(refill.sequence);
    fail(new LapLost('what was to be filled is not needed any more'));
  }

  /** Sends the positions up to `upTo`, no more pieces of them under way than keep every leg busy. */
  function fill(
    { lap, lost }: LapInUse,
    state: Open,
    { ids, upTo }: Omit<FillRequest, 'sequence'>,
  ): Promise<void> {
    const { refill } = state;
    const from = state.reached;
    const chunk = options.chunk(lap);
    const mostUnderWay = 2 * refill.stages.length;
    let underWay = 0;
    state.sent = from;
    book.refillBegins(refill, from);
    return new Promise<void>((resolve, reject) => {
      const onLost = (): void => state.fail(new LapLost(reasonOf(lost)));
      const settle = (): void => lost.removeEventListener('abort', onLost);
      state.fail = (error) => {
        settle();
        reject(error);
      };
      state.change = () => {
        if (state.waitingFor.size > 0) return;
        underWay = Math.ceil((state.sent - state.reached) / chunk);
        if (state.reached >= upTo) {
          settle();
          resolve();
        }
        while (state.sent < upTo && underWay < mostUnderWay) {
          const position = state.sent;
          state.sent = Math.min(position + chunk, upTo);
          underWay++;
          send(refill, position, ids.slice(position, state.sent));
        }
      };
      lost.addEventListener('abort', onLost);
      if (lost.aborted) onLost();
      else if (state.waitingFor.size > 0)
        for (const device of [...state.waitingFor]) options.adopt(device, refill);
      else state.change();
    }).finally(() => {
      state.fail = state.change = () => undefined;
    });
  }

  function send(refill: Refill, position: number, ids: readonly number[]): void {
    const { sequence, source, epoch, stages } = refill;
    if (stages[0].first === 0)
      options.start(epoch, { sequence, position, ids: Int32Array.from(ids), logitsOf: 0 });
    else options.resend(source, { sequence, position, tokens: ids.length });
  }

  function failFrom(deviceId: string, state: Open): void {
    const { fills, source, stages } = state.refill;
    if (source !== deviceId) return;
    book.notKept(fills, stages[0].first, deviceId);
    state.fail(new NotKept());
  }

  return {
    async bring(running, { sequence, ids, upTo }) {
      for (;;) {
        const wanted = { sequence, upTo, isBeside: false };
        const plans = planRefills(book, running.lap, headLayer, wanted);
        if (plans.length === 0) return;
        const begun = plans.map((plan) => begin(running, sequence, plan, true));
        try {
          await allSettled(begun.map((state) => fill(running, state, { ids, upTo })));
        } catch (error) {
          if (!(error instanceof NotKept)) throw error;
        } finally {
          begun.forEach(end);
        }
      }
    },
    prepare(running, sequence) {
      let begun: Open[] = [];
      let isOver = false;
      return {
        async fill(request) {
          while (!isOver) {
            if (begun.length === 0) {
              const wanted = { sequence, upTo: request.upTo, isBeside: true };
              const plans = planRefills(book, running.lap, headLayer, wanted);
              begun = plans.map((plan) => begin(running, sequence, plan, false));
            }
            try {
              await allSettled(begun.map((state) => fill(running, state, request)));
              return;
            } catch (error) {
              begun.forEach(end);
              begun = [];
              if (!(error instanceof NotKept)) throw error;
            }
          }
        },
        end() {
          isOver = true;
          begun.forEach(end);
        },
      };
    },
    ready(deviceId, number) {
      const state = open.get(number);
      if (state?.waitingFor.delete(deviceId)) state.change();
    },
    notKept(deviceId, number) {
      const state = open.get(number);
      if (state) failFrom(deviceId, state);
    },
    failed: (number, reason) => open.get(number)?.fail(new LapLost(reason)),
    onPieceRead({ sequence, position }) {
      const state = open.get(sequence);
      if (!state) return false;
      // A device says so, and may say anything.
      if (position <= state.reached || position > state.sent) return true;
      book.refilled(state.refill, state.reached, position);
      state.reached = position;
      state.change();
      return true;
    },
    lost(deviceId) {
      for (const state of open.values()) failFrom(deviceId, state);
    },
  };
}

/** All of them are over before one's failure is told. */
async function allSettled(work: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [asError(result.reason)] : [],
  );
  const isLost = (error: Error): number => Number(error instanceof LapLost);
  const worst = failures.sort((a, b) => isLost(b) - isLost(a)).at(0);
  if (worst) throw worst;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : '';
}
