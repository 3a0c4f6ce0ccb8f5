/**
 * Makes one answer: reads the prompt, then token after token, through whatever plan runs. When the
 * plan breaks under way, the next one's devices are given the caches that they lack; what was shown stays.
 */
import type { LapTiming } from '../../room.ts';
import { type LapRunner } from './lap-runner.ts';
import { createMoves } from './plan-migration.ts';
import { topLogits, type Sampler } from './sampler.ts';
import type { Speculation } from './speculation.ts';
import { LapLost } from '../../lap.ts';
import { type Planning, predictedMsPerToken, type RunningLap } from '../planning/index.ts';
import type { CacheRebuilds, Lease, Sequences } from '../kv-cache/index.ts';

export interface GenerationOptions {
  promptIds: readonly number[];
  /** Tokens of the answer that were written before; empty for a new one. */
  startIds: readonly number[];
  sampler: Sampler;
  maxNewTokens: number;
  contextLength: number;
  vocabularySize: number;
  /** Ids that end the text. */
  stopIds: ReadonlySet<number>;
  topLogits: number;
  /** Tokens a frame while the prompt is read. */
  prefillChunk: (running: RunningLap) => number;
  /** Null where drafts are not wanted, or would not be exact on this lap. */
  speculation: (running: RunningLap) => Speculation | null;
  sequences: Sequences;
  rebuilds: CacheRebuilds;
  /** Answers that share the lap now. */
  inFlight: () => number;
  /** Settles when this answer may start its next token. */
  turn: (signal: AbortSignal) => Promise<void>;
  signal: AbortSignal;
  /** Logits of a lap that nobody reads any more. */
  giveBack: (logits: Float32Array) => void;
  /** What the host usually takes between this answer's laps, ms. */
  betweenLapsMs: () => number;
  /** So long it took between two of them while nothing else was under way. */
  onBetweenLaps: (ms: number) => void;
  onReading: (tokensRead: number, predictedMsPerToken: number) => void;
  /** One token's lap, whatever it brought. */
  onLap: (planVersion: number, timing: LapTiming) => void;
  /** The tokens that one lap brought: several where a draft came true. */
  onTokens: (ids: readonly number[]) => void;
  onPaused: (reason: string) => void;
}

export interface Generation {
  ids: number[];
  topLogits: [id: number, logit: number][][];
  /** Prompt tokens that were cached already and not read again. */
  cachedTokens: number;
  /** One a lap that brought tokens. */
  laps: LapTiming[];
  predictedMsPerToken: number;
  because: 'end' | 'length' | 'stopped';
}

/** The answer would be ready sooner on the newer plan. */
class MovesOn extends Error {}

export async function generate(
  planning: Planning,
  laps: LapRunner,
  options: GenerationOptions,
): Promise<Generation> {
  const made: Generation = {
    ids: [...options.startIds],
    topLogits: [],
    cachedTokens: 0,
    laps: [],
    predictedMsPerToken: 0,
    because: 'length',
  };
  const caches: Caches = { lease: null };
  let failures = 0;
  let idsBefore = 0;
  try {
    for (;;) {
      let lap: RunningLap | null = null;
      try {
        await planning.use(
          (running) => {
            lap = running;
            return generateOn(running, laps, options, made, caches);
          },
          options.signal,
          options.onPaused,
        );
        // A cache is kept for the next turn only if what is in it is known.
        endLease(caches, [...options.promptIds, ...made.ids]);
        return made;
      } catch (error) {
        if (options.signal.aborted) return { ...made, because: 'stopped' };
        if (error instanceof MovesOn) continue;
        if (!(error instanceof LapLost)) throw error;
        failures = isIntact(lap) && made.ids.length === idsBefore ? failures + 1 : 0;
        if (failures === failuresInARow) throw error;
        idsBefore = made.ids.length;
        // What failed on a lap that is whole may have failed because of its caches.
        if (isIntact(lap)) endLease(caches, null);
        options.onPaused(error.message);
      }
    }
  } finally {
    endLease(caches, null);
  }
}

/** What of the answer lies in the devices' caches: kept from lap to lap. */
interface Caches {
  lease: Lease | null;
}

function endLease(caches: Caches, ids: readonly number[] | null): void {
  const { lease } = caches;
  lease?.end(ids && ids.slice(0, lease.cached));
  caches.lease = null;
}

/** A lap that nobody has left, and that fails again without a token in between, will go on failing. */
const failuresInARow = 3;

function isIntact(lap: RunningLap | null): boolean {
  return lap !== null && !lap.lost.aborted;
}

/** Goes on from the tokens in `made`, until the end or until the lap is lost. */
async function generateOn(
  running: RunningLap,
  laps: LapRunner,
  options: GenerationOptions,
  made: Generation,
  caches: Caches,
): Promise<void> {
  const { promptIds, sequences, rebuilds, contextLength, signal } = options;
  const idsSoFar = (): number[] => [...promptIds, ...made.ids];
  const lease = (caches.lease ??= sequences.lease(running.lap, idsSoFar()));
  const { sequence } = lease;
  const speculation = options.speculation(running);
  const onLapMs = predictedMsPerToken(running.plan, {
    promptTokens: promptIds.length,
    newTokens: Math.min(options.maxNewTokens, contextLength - promptIds.length),
  });
  made.predictedMsPerToken = onLapMs + options.betweenLapsMs();
  if (made.ids.length === 0) made.cachedTokens = lease.cached;
  let readMs = 0;
  let lapEndedMs: number | null = null;
  const moves = createMoves(running, {
    ...options,
    lease,
    promptTokens: promptIds.length,
    ids: idsSoFar,
    tokensLeft: () => options.maxNewTokens - made.ids.length,
  });
  options.onReading(lease.cached, made.predictedMsPerToken);
  try {
    await orStopped(
      rebuilds.bring(running, { sequence, ids: idsSoFar(), upTo: lease.cached }),
      signal,
    );
    while (!hasEnded(made, options) && promptIds.length + made.ids.length <= contextLength) {
      const ids = idsSoFar();
      if (moves.isDue(readMs)) throw new MovesOn();
      const fresh = ids.slice(lease.cached);
      const room = Math.min(options.maxNewTokens - made.ids.length, contextLength - ids.length);
      const drafted = fresh.length === 1 ? (speculation?.draft(ids, room - 1) ?? []) : [];
      if (lapEndedMs !== null && options.inFlight() === 1)
        options.onBetweenLaps(performance.now() - lapEndedMs);
      await options.turn(signal);
      const { logits, timing } = await orStopped(
        laps.run(running, {
          sequence,
          position: lease.cached,
          ids: [...fresh, ...drafted],
          logitsOf: drafted.length + 1,
          chunk: options.prefillChunk(running),
          onRead: (position) => {
            lease.ran(running.lap, position);
            options.onReading(position, made.predictedMsPerToken);
          },
        }),
        signal,
      );
      lapEndedMs = performance.now();
      made.laps.push(timing);
      if (readMs === 0) readMs = timing.lapMs;
      if (fresh.length === 1) options.onLap(running.lap.planVersion, timing);
      const accepted = take(logits, drafted, options, made);
      options.giveBack(logits);
      lease.ran(running.lap, ids.length + accepted);
      if (fresh.length === 1) {
        const computeMs = timing.hops.reduce((sum, hop) => sum + hop.computeMs, 0);
        const { lapMs } = timing;
        const brought = made.ids.slice(-accepted - 1);
        speculation?.observe({ lapMs, computeMs, drafted: drafted.length, brought });
      }
    }
  } finally {
    moves.end();
  }
}

/**
 * Takes the tokens that a lap's logits give, as long as the draft foresaw them. Returns how many drafted
 * tokens came true.
 */
function take(
  logits: Float32Array,
  drafted: readonly number[],
  options: GenerationOptions,
  made: Generation,
): number {
  const { vocabularySize, promptIds, sampler } = options;
  const taken: number[] = [];
  for (let index = 0; ; index++) {
    const layer = logits.subarray(index * vocabularySize, (index + 1) * vocabularySize);
    if (options.topLogits > 0) made.topLogits.push(topLogits(layer, options.topLogits));
    const id = sampler.next(layer, [...promptIds, ...made.ids]);
    made.ids.push(id);
    taken.push(id);
    if (index < drafted.length && id === drafted[index] && !hasEnded(made, options)) continue;
    options.onTokens(taken);
    return index;
  }
}

function hasEnded(made: Generation, { maxNewTokens, stopIds, signal }: GenerationOptions): boolean {
  const last = made.ids.at(-1);
  if (last !== undefined && stopIds.has(last)) made.because = 'end';
  else if (signal.aborted) made.because = 'stopped';
  else if (made.ids.length >= maxNewTokens) made.because = 'length';
  else return false;
  return true;
}

/** Stop must not wait for a long prompt to be read. */
function orStopped<T>(trip: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error('stopped'));
    signal.addEventListener('abort', onAbort);
    trip.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}
