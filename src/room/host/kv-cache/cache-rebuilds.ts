import { asError } from '../../../base/error-message.ts';
import { LapLost, type Lap, type LapInUse } from '../../lap.ts';
import type { CacheMap } from './cache-map.ts';
import { planRebuilds, type PlannedRebuild } from './rebuild-plan.ts';
import type { LapStart } from '../../stage/index.ts';
import type { CacheRebuild, Replay } from '../../replay/index.ts';

export interface CacheRebuildsOptions {
  cacheMap: CacheMap;
  headLayer: number;
  /** A number that no sequence and no cache rebuild has had. */
  nextNumber: () => number;
  /** Has a device take the cache rebuild's frames; it says `ready` then. */
  adopt: (deviceId: string, rebuild: CacheRebuild) => void;
  /** Has a device send what it kept. */
  replay: (deviceId: string, replay: Replay) => void;
  /** The host itself: token ids into layer 0. */
  start: (planVersion: number, start: LapStart) => void;
  release: (rebuild: number) => void;
  /** Positions a frame. */
  chunk: (lap: Lap) => number;
}

export interface FillRequest {
  sequence: number;
  /** Token ids of all positions that are to be cached, and possibly more. */
  ids: readonly number[];
  upTo: number;
}

export interface CacheRebuilds {
  /** Settles when every layer of the lap has the positions up to `upTo`; rejects with `LapLost`. */
  bring(running: LapInUse, request: FillRequest): Promise<void>;
  /** The same while an answer runs on an older lap, whose caches stay as they are. Call `end` in any case. */
  prepare(running: LapInUse, sequence: number): Preparation;
  ready(deviceId: string, rebuild: number): void;
  /** The device did not keep what it was to send. */
  replayMissing(deviceId: string, rebuild: number): void;
  /** A leg could not do its work: what waits for the cache rebuild begins again. */
  failed(rebuild: number, reason: string): void;
  /** False where the piece is none of a cache rebuild. */
  onPieceRead(piece: { sequence: number; position: number }): boolean;
  lost(deviceId: string): void;
}

export interface Preparation {
  /** Fills what is missing up to `upTo`; can be called again as the answer grows. */
  fill(request: Omit<FillRequest, 'sequence'>): Promise<void>;
  end(): void;
}

/** The source is gone, or did not keep what was asked of it: another one may have. */
class ReplayMissing extends Error {}

interface Open {
  rebuild: CacheRebuild;
  /** Positions filled so far. */
  reached: number;
  /** Positions sent so far. */
  sent: number;
  waitingFor: Set<string>;
  change: () => void;
  fail: (error: Error) => void;
}

export function createCacheRebuilds(options: CacheRebuildsOptions): CacheRebuilds {
  const { cacheMap, headLayer } = options;
  const open = new Map<number, Open>();

  function begin(running: LapInUse, fills: number, plan: PlannedRebuild, isAlone: boolean): Open {
    const sequence = options.nextNumber();
    const stages = plan.legs.map(({ device, first, last, isFilled }) => {
      return { device, first, last, cache: isFilled || isAlone ? fills : sequence };
    });
    const { planVersion } = running.lap;
    const rebuild = { planVersion, sequence, fills, source: plan.source, isAlone, stages };
    // The host hears how far it is.
    const devices = new Set(['host', plan.source, ...stages.map(({ device }) => device)]);
    const begun: Open = {
      rebuild,
      reached: plan.from,
      sent: plan.from,
      waitingFor: devices,
      change: () => undefined,
      fail: () => undefined,
    };
    open.set(sequence, begun);
    return begun;
  }

  function end({ rebuild, fail }: Open): void {
    if (!open.delete(rebuild.sequence)) return;
    options.release(rebuild.sequence);
    fail(new LapLost('what was to be filled is not needed any more'));
  }

  /** Sends the positions up to `upTo`, no more pieces of them under way than keep every leg busy. */
  function fill(
    { lap, lost }: LapInUse,
    state: Open,
    { ids, upTo }: Omit<FillRequest, 'sequence'>,
  ): Promise<void> {
    const { rebuild } = state;
    const from = state.reached;
    const chunk = options.chunk(lap);
    const mostUnderWay = 2 * rebuild.stages.length;
    let underWay = 0;
    state.sent = from;
    cacheMap.rebuildBegins(rebuild, from);
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
          send(rebuild, position, ids.slice(position, state.sent));
        }
      };
      lost.addEventListener('abort', onLost);
      if (lost.aborted) onLost();
      else if (state.waitingFor.size > 0)
        for (const device of [...state.waitingFor]) options.adopt(device, rebuild);
      else state.change();
    }).finally(() => {
      state.fail = state.change = () => undefined;
    });
  }

  function send(rebuild: CacheRebuild, position: number, ids: readonly number[]): void {
    const { sequence, source, planVersion, stages } = rebuild;
    if (stages[0].first === 0)
      options.start(planVersion, { sequence, position, ids: Int32Array.from(ids), logitsOf: 0 });
    else options.replay(source, { sequence, position, tokens: ids.length });
  }

  function failFrom(deviceId: string, state: Open): void {
    const { fills, source, stages } = state.rebuild;
    if (source !== deviceId) return;
    cacheMap.replayMissing(fills, stages[0].first, deviceId);
    state.fail(new ReplayMissing());
  }

  return {
    async bring(running, { sequence, ids, upTo }) {
      for (;;) {
        const wanted = { sequence, upTo, isBeside: false };
        const plans = planRebuilds(cacheMap, running.lap, headLayer, wanted);
        if (plans.length === 0) return;
        const begun = plans.map((plan) => begin(running, sequence, plan, true));
        try {
          await allSettled(begun.map((state) => fill(running, state, { ids, upTo })));
        } catch (error) {
          if (!(error instanceof ReplayMissing)) throw error;
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
              const plans = planRebuilds(cacheMap, running.lap, headLayer, wanted);
              begun = plans.map((plan) => begin(running, sequence, plan, false));
            }
            try {
              await allSettled(begun.map((state) => fill(running, state, request)));
              return;
            } catch (error) {
              begun.forEach(end);
              begun = [];
              if (!(error instanceof ReplayMissing)) throw error;
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
    replayMissing(deviceId, number) {
      const state = open.get(number);
      if (state) failFrom(deviceId, state);
    },
    failed: (number, reason) => open.get(number)?.fail(new LapLost(reason)),
    onPieceRead({ sequence, position }) {
      const state = open.get(sequence);
      if (!state) return false;
      // A device says so, and may say anything.
      if (position <= state.reached || position > state.sent) return true;
      cacheMap.rebuilt(state.rebuild, state.reached, position);
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

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : '';
}
