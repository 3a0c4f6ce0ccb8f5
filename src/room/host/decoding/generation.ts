/**
 * Makes one answer: reads the prompt, then makes token after token, on whatever plan runs. When the plan breaks under
 * way, the next plan's devices rebuild the caches that they lack. What was shown stays.
 */
import type { LapTiming, SamplingOptions } from '../../room.ts';
import type { BetweenLaps } from './between-laps.ts';
import type { LapRunner } from './lap-runner.ts';
import type { Turns } from './pipeline-turns.ts';
import { createPlanMigration } from './plan-migration.ts';
import { createSampler, topLogits, type Sampler } from './sampler.ts';
import type { Speculation } from './speculation.ts';
import { LapLost } from '../../lap.ts';
import { type Planning, predictedMsPerToken, type RunningLap } from '../planning/index.ts';
import type { Caches, OpenSequence } from '../kv-cache/index.ts';

export interface GenerationOptions {
  promptIds: readonly number[];
  /** Tokens of the answer that were written before; empty for a new one. */
  startIds: readonly number[];
  sampling: SamplingOptions;
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
  caches: Pick<Caches, 'sequences' | 'rebuilds'>;
  /** Answers that share the lap now. */
  inFlight: () => number;
  /** When this answer may start its next token. */
  turns: Pick<Turns, 'next'>;
  /** What the host takes between laps; it is observed while nothing else is under way. */
  betweenLaps: BetweenLaps;
  /** Logits of a lap that nobody reads any more. */
  giveBack: (logits: Float32Array) => void;
  listener: GenerationListener;
  signal: AbortSignal;
}

/** Hears how an answer is getting on. */
export interface GenerationListener {
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

/** The answer changes over to the newer plan, on which it will be ready sooner. */
class PlanMigrated extends Error {}

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
  const cache: AnswerCache = { opened: null };
  const sampler = createSampler(options.sampling, options.startIds.length);
  let failures = 0;
  let idsBefore = 0;
  try {
    for (;;) {
      let lap: RunningLap | null = null;
      try {
        await planning.use(
          (running) => {
            lap = running;
            return generateOn(running, laps, options, { made, cache, sampler });
          },
          options.signal,
          (sentence) => options.listener.onPaused(sentence),
        );
        // A cache is kept for the next turn only if what is in it is known.
        closeCache(cache, [...options.promptIds, ...made.ids]);
        return made;
      } catch (error) {
        if (options.signal.aborted) return { ...made, because: 'stopped' };
        if (error instanceof PlanMigrated) continue;
        if (!(error instanceof LapLost)) throw error;
        failures = isIntact(lap) && made.ids.length === idsBefore ? failures + 1 : 0;
        if (failures === failuresInARow) throw error;
        idsBefore = made.ids.length;
        // What failed on a lap that is whole may have failed because of its caches.
        if (isIntact(lap)) closeCache(cache, null);
        options.listener.onPaused(error.message);
      }
    }
  } finally {
    closeCache(cache, null);
  }
}

/** What of the answer lies in the devices' caches: kept from lap to lap. */
interface AnswerCache {
  opened: OpenSequence | null;
}

function closeCache(cache: AnswerCache, ids: readonly number[] | null): void {
  const { opened } = cache;
  opened?.close(ids && ids.slice(0, opened.cached));
  cache.opened = null;
}

/** What an answer keeps from plan to plan. */
interface Progress {
  made: Generation;
  cache: AnswerCache;
  sampler: Sampler;
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
  progress: Progress,
): Promise<void> {
  const { made, cache } = progress;
  const { promptIds, caches, contextLength, signal, listener, betweenLaps, sampling } = options;
  const idsSoFar = (): number[] => [...promptIds, ...made.ids];
  const opened = (cache.opened ??= caches.sequences.open(running.lap, idsSoFar()));
  const { sequence } = opened;
  const speculation = options.speculation(running);
  const onLapMs = predictedMsPerToken(running.plan, {
    promptTokens: promptIds.length,
    newTokens: Math.min(options.maxNewTokens, contextLength - promptIds.length),
  });
  made.predictedMsPerToken = onLapMs + betweenLaps.usualMs(sampling);
  if (made.ids.length === 0) made.cachedTokens = opened.cached;
  let readMs = 0;
  let lapEndedMs: number | null = null;
  const migration = createPlanMigration(running, {
    caches,
    opened,
    inFlight: options.inFlight,
    promptTokens: promptIds.length,
    ids: idsSoFar,
    tokensLeft: () => options.maxNewTokens - made.ids.length,
  });
  listener.onReading(opened.cached, made.predictedMsPerToken);
  try {
    await orStopped(
      caches.rebuilds.rebuildMissing(running, { sequence, ids: idsSoFar(), upTo: opened.cached }),
      signal,
    );
    while (!hasEnded(made, options) && promptIds.length + made.ids.length <= contextLength) {
      const ids = idsSoFar();
      if (migration.isDue(readMs)) throw new PlanMigrated();
      const fresh = ids.slice(opened.cached);
      const room = Math.min(options.maxNewTokens - made.ids.length, contextLength - ids.length);
      const drafted = fresh.length === 1 ? (speculation?.draft(ids, room - 1) ?? []) : [];
      if (lapEndedMs !== null && options.inFlight() === 1)
        betweenLaps.observe(sampling, performance.now() - lapEndedMs);
      await options.turns.next(signal);
      const { logits, timing } = await orStopped(
        laps.run(running, {
          sequence,
          position: opened.cached,
          ids: [...fresh, ...drafted],
          logitsOf: drafted.length + 1,
          chunk: options.prefillChunk(running),
          onRead: (position) => {
            opened.ran(running.lap, position);
            listener.onReading(position, made.predictedMsPerToken);
          },
        }),
        signal,
      );
      lapEndedMs = performance.now();
      made.laps.push(timing);
      if (readMs === 0) readMs = timing.lapMs;
      if (fresh.length === 1) listener.onLap(running.lap.planVersion, timing);
      const accepted = take(logits, drafted, options, progress);
      options.giveBack(logits);
      opened.ran(running.lap, ids.length + accepted);
      if (fresh.length === 1) {
        const computeMs = timing.hops.reduce((sum, hop) => sum + hop.computeMs, 0);
        const { lapMs } = timing;
        const brought = made.ids.slice(-accepted - 1);
        speculation?.observe({ lapMs, computeMs, drafted: drafted.length, brought });
      }
    }
  } finally {
    migration.end();
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
  { made, sampler }: Progress,
): number {
  const { vocabularySize, promptIds } = options;
  const taken: number[] = [];
  for (let index = 0; ; index++) {
    const scores = logits.subarray(index * vocabularySize, (index + 1) * vocabularySize);
    if (options.topLogits > 0) made.topLogits.push(topLogits(scores, options.topLogits));
    const id = sampler.next(scores, [...promptIds, ...made.ids]);
    made.ids.push(id);
    taken.push(id);
    if (index < drafted.length && id === drafted[index] && !hasEnded(made, options)) continue;
    options.listener.onTokens(taken);
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
