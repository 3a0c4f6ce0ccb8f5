/**
 * One cache rebuild under way: what is sent again, piece by piece, how far its devices have come, and how it ends. No
 * more pieces are under way than keep every leg busy.
 */
import { LapLost, type LapInUse } from '../../lap.ts';
import type { CacheRebuild } from '../../replay/index.ts';
import type { CacheMap } from './cache-map.ts';
import type { CacheTransport } from './cache-transport.ts';

/** The source is gone, or did not keep what was asked of it: another one may have. */
export class ReplayMissing extends Error {}

export interface RebuildRunOptions {
  rebuild: CacheRebuild;
  /** Position of the first state to be sent again. */
  from: number;
  cacheMap: CacheMap;
  transport: Pick<CacheTransport, 'adopt' | 'start' | 'replay'>;
}

export interface PiecewiseRequest {
  /** Token ids of all positions that are to be cached, and possibly more. */
  ids: readonly number[];
  upTo: number;
  /** Positions a frame. */
  chunk: number;
}

export interface RebuildRun {
  readonly number: number;
  /** Sends the positions up to `upTo`; settles when all of them are cached. Can be called again for later ones. */
  run(running: LapInUse, request: PiecewiseRequest): Promise<void>;
  /** The device takes the rebuild's frames from now on. */
  ready(deviceId: string): void;
  /** Every leg has computed up to there. */
  pieceRead(position: number): void;
  /** The device has nothing to send, which matters where it is the source. */
  replayMissing(deviceId: string): void;
  fail(error: Error): void;
}

export function createRebuildRun(options: RebuildRunOptions): RebuildRun {
  const { rebuild, cacheMap, transport } = options;
  const { sequence, planVersion, fills, source, stages } = rebuild;
  const mostUnderWay = 2 * stages.length;
  /** Positions rebuilt, and positions sent. */
  let reached = options.from;
  let sent = options.from;
  // The host hears how far it is.
  const waitingFor = new Set(['host', source, ...stages.map(({ device }) => device)]);
  let goOn = (): void => undefined;
  let fail: (error: Error) => void = () => undefined;

  function ready(deviceId: string): void {
    if (waitingFor.delete(deviceId)) goOn();
  }

  function replayMissing(deviceId: string): void {
    if (deviceId !== source) return;
    cacheMap.replayMissing(fills, stages[0].first, deviceId);
    fail(new ReplayMissing());
  }

  function sendPieces({ ids, upTo, chunk }: PiecewiseRequest): void {
    let underWay = Math.ceil((sent - reached) / chunk);
    while (sent < upTo && underWay < mostUnderWay) {
      const position = sent;
      sent = Math.min(position + chunk, upTo);
      underWay++;
      send(position, ids.slice(position, sent));
    }
  }

  function send(position: number, ids: readonly number[]): void {
    if (stages[0].first === 0) {
      transport.start(planVersion, { sequence, position, ids: Int32Array.from(ids), logitsOf: 0 });
      return;
    }
    const isKept = transport.replay(source, { sequence, position, tokens: ids.length });
    if (!isKept) replayMissing(source);
  }

  return {
    number: sequence,
    run({ lost }, request) {
      sent = reached;
      cacheMap.rebuildBegins(rebuild, reached);
      return new Promise<void>((resolve, reject) => {
        const onLost = (): void => fail(new LapLost(reasonOf(lost)));
        const settle = (): void => lost.removeEventListener('abort', onLost);
        fail = (error) => {
          settle();
          reject(error);
        };
        goOn = () => {
          if (waitingFor.size > 0) return;
          if (reached >= request.upTo) {
            settle();
            resolve();
          }
          sendPieces(request);
        };
        lost.addEventListener('abort', onLost);
        if (lost.aborted) onLost();
        else if (waitingFor.size === 0) goOn();
        else
          for (const device of [...waitingFor]) if (transport.adopt(device, rebuild)) ready(device);
      }).finally(() => {
        fail = goOn = () => undefined;
      });
    },
    ready,
    pieceRead(position) {
      // A device says so, and may say anything.
      if (position <= reached || position > sent) return;
      cacheMap.rebuilt(rebuild, reached, position);
      reached = position;
      goOn();
    },
    replayMissing,
    fail: (error) => fail(error),
  };
}

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : '';
}
