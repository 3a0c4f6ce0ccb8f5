/**
 * Rebuilds the KV cache of a sequence on layers that changed hands: hidden states that somebody kept are sent again, so
 * that only the layers that lack them compute.
 */
import { asError } from '../../../base/error-message.ts';
import { LapLost, type Lap, type LapInUse } from '../../lap.ts';
import type { CacheMap } from './cache-map.ts';
import type { CacheTransport } from './cache-transport.ts';
import type { CacheRebuild } from '../../replay/index.ts';
import { planRebuilds, type PlannedRebuild } from './rebuild-plan.ts';
import { createRebuildRun, ReplayMissing, type RebuildRun } from './rebuild-run.ts';

export interface CacheRebuildsOptions {
  cacheMap: CacheMap;
  headLayer: number;
  transport: Pick<CacheTransport, 'adopt' | 'replay' | 'start'>;
  /** A number that no sequence and no cache rebuild has had. */
  nextNumber: () => number;
  release: (rebuild: number) => void;
  /** Positions a frame. */
  chunk: (lap: Lap) => number;
}

export interface RebuildRequest {
  sequence: number;
  /** Token ids of all positions that are to be cached, and possibly more. */
  ids: readonly number[];
  upTo: number;
}

export interface CacheRebuilds {
  /** Settles when every layer of the lap has the positions up to `upTo`; rejects with `LapLost`. */
  rebuildMissing(running: LapInUse, request: RebuildRequest): Promise<void>;
  /** The same while an answer runs on an older lap, whose caches stay as they are. Call `end` in any case. */
  prepare(running: LapInUse, sequence: number): RebuildPreparation;
  ready(deviceId: string, rebuild: number): void;
  /** The device did not keep what it was to send. */
  replayMissing(deviceId: string, rebuild: number): void;
  /** A leg could not do its work: what waits for the cache rebuild begins again. */
  failed(rebuild: number, reason: string): void;
  /** False where the piece is none of a cache rebuild. */
  onPieceRead(piece: { sequence: number; position: number }): boolean;
  lost(deviceId: string): void;
}

export interface RebuildPreparation {
  /** Rebuilds what is missing up to `upTo`; can be called again as the answer grows. */
  catchUp(request: Omit<RebuildRequest, 'sequence'>): Promise<void>;
  end(): void;
}

export function createCacheRebuilds(options: CacheRebuildsOptions): CacheRebuilds {
  const { cacheMap, headLayer, transport } = options;
  /** Under way, by number. */
  const open = new Map<number, RebuildRun>();

  /** One run for each gap in the caches of the sequence. */
  function begin({ lap }: LapInUse, sequence: number, upTo: number, isBeside: boolean) {
    const plans = planRebuilds(cacheMap, lap, headLayer, { sequence, upTo, isBeside });
    return plans.map((plan) => {
      const number = options.nextNumber();
      const rebuild = rebuildFrom(plan, {
        planVersion: lap.planVersion,
        number,
        sequence,
        isBeside,
      });
      const run = createRebuildRun({ rebuild, from: plan.from, cacheMap, transport });
      open.set(number, run);
      return run;
    });
  }

  function runAll(
    runs: RebuildRun[],
    running: LapInUse,
    { ids, upTo }: Omit<RebuildRequest, 'sequence'>,
  ): Promise<void> {
    const request = { ids, upTo, chunk: options.chunk(running.lap) };
    return allSettled(runs.map((run) => run.run(running, request)));
  }

  function end(run: RebuildRun): void {
    if (!open.delete(run.number)) return;
    options.release(run.number);
    run.fail(new LapLost('the cache rebuild is not needed any more'));
  }

  return {
    async rebuildMissing(running, { sequence, ...request }) {
      for (;;) {
        const begun = begin(running, sequence, request.upTo, false);
        if (begun.length === 0) return;
        try {
          await runAll(begun, running, request);
        } catch (error) {
          if (!(error instanceof ReplayMissing)) throw error;
        } finally {
          begun.forEach(end);
        }
      }
    },
    prepare(running, sequence) {
      let begun: RebuildRun[] = [];
      let isOver = false;
      return {
        async catchUp(request) {
          while (!isOver) {
            if (begun.length === 0) begun = begin(running, sequence, request.upTo, true);
            try {
              await runAll(begun, running, request);
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
    ready: (deviceId, number) => open.get(number)?.ready(deviceId),
    replayMissing: (deviceId, number) => open.get(number)?.replayMissing(deviceId),
    failed: (number, reason) => open.get(number)?.fail(new LapLost(reason)),
    onPieceRead({ sequence, position }) {
      const run = open.get(sequence);
      run?.pieceRead(position);
      return run !== undefined;
    },
    lost(deviceId) {
      for (const run of open.values()) run.replayMissing(deviceId);
    },
  };
}

interface RebuildOf {
  planVersion: number;
  number: number;
  /** Whose caches are rebuilt. */
  sequence: number;
  isBeside: boolean;
}

function rebuildFrom(
  { legs, source }: PlannedRebuild,
  { planVersion, number, sequence, isBeside }: RebuildOf,
): CacheRebuild {
  // Layers that are only crossed, and in use by an older lap, write a cache of the rebuild's own.
  const stages = legs.map(({ device, first, last, isRebuilt }) => {
    return { device, first, last, cache: isRebuilt || !isBeside ? sequence : number };
  });
  return { planVersion, sequence: number, fills: sequence, source, isAlone: !isBeside, stages };
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
