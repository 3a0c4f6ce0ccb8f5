/**
 * Makes one answer: reads the prompt, then token after token, through whatever plan runs. When the
 * plan breaks under way, the tokens so far are read again by the next one; what was shown stays.
 */
import type { LapTiming } from '../room.ts';
import { LapLost, type LapRunner } from './lap-runner.ts';
import type { Planning, RunningLap } from './planning.ts';
import { predictedMsPerToken } from './room-plan.ts';
import { topLogits, type Sampler } from './sampler.ts';
import type { Sequences } from './sequences.ts';
import type { Speculation } from './speculation.ts';

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
  /** Settles when this answer may start its next token. */
  turn: (signal: AbortSignal) => Promise<void>;
  signal: AbortSignal;
  onReading: (tokensRead: number, predictedMsPerToken: number) => void;
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
  let failures = 0;
  let idsBefore = 0;
  for (;;) {
    let lap: RunningLap | null = null;
    try {
      await planning.use((running) => {
        lap = running;
        return generateOn(running, laps, options, made);
      }, options.signal);
      return made;
    } catch (error) {
      if (options.signal.aborted) return { ...made, because: 'stopped' };
      if (error instanceof MovesOn) continue;
      if (!(error instanceof LapLost)) throw error;
      failures = isIntact(lap) && made.ids.length === idsBefore ? failures + 1 : 0;
      if (failures === failuresInARow) throw error;
      idsBefore = made.ids.length;
      options.onPaused(error.message);
    }
  }
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
): Promise<void> {
  const { promptIds, sequences, contextLength } = options;
  const idsSoFar = (): number[] => [...promptIds, ...made.ids];
  const lease = sequences.lease(running.lap.epoch, idsSoFar());
  const speculation = options.speculation(running);
  made.predictedMsPerToken = predictedMsPerToken(running.plan, {
    promptTokens: promptIds.length,
    newTokens: Math.min(options.maxNewTokens, contextLength - promptIds.length),
  });
  if (made.ids.length === 0) made.cachedTokens = lease.cached;
  /** Positions whose keys and values are cached on every device. */
  let cached = lease.cached;
  let readMs = 0;
  let isIntact = false;
  options.onReading(cached, made.predictedMsPerToken);
  try {
    while (!hasEnded(made, options) && promptIds.length + made.ids.length <= contextLength) {
      const ids = idsSoFar();
      if (paysToMove(running, made, options, readMs)) throw new MovesOn();
      const fresh = ids.slice(cached);
      const room = Math.min(options.maxNewTokens - made.ids.length, contextLength - ids.length);
      const drafted = fresh.length === 1 ? (speculation?.draft(ids, room - 1) ?? []) : [];
      await options.turn(options.signal);
      const { logits, timing } = await orStopped(
        laps.run(running, {
          sequence: lease.sequence,
          position: cached,
          ids: [...fresh, ...drafted],
          logitsOf: drafted.length + 1,
          chunk: options.prefillChunk(running),
          onRead: (position) => options.onReading(position, made.predictedMsPerToken),
        }),
        options.signal,
      );
      made.laps.push(timing);
      if (readMs === 0) readMs = timing.lapMs;
      const accepted = take(logits, drafted, options, made);
      cached = ids.length + accepted;
      if (fresh.length === 1) {
        const computeMs = timing.hops.reduce((sum, hop) => sum + hop.computeMs, 0);
        const { lapMs } = timing;
        speculation?.observe({ lapMs, computeMs, drafted: drafted.length, accepted });
      }
    }
    isIntact = true;
  } finally {
    // A cache is kept for the next turn only if what is in it is known.
    lease.end(isIntact ? idsSoFar().slice(0, cached) : null);
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
    const row = logits.subarray(index * vocabularySize, (index + 1) * vocabularySize);
    if (options.topLogits > 0) made.topLogits.push(topLogits(row, options.topLogits));
    const id = sampler.next(row, [...promptIds, ...made.ids]);
    made.ids.push(id);
    taken.push(id);
    if (index < drafted.length && id === drafted[index] && !hasEnded(made, options)) continue;
    options.onTokens(taken);
    return index;
  }
}

/** Reading everything again on the newer plan must be earned back by the tokens still to come. */
function paysToMove(
  running: RunningLap,
  made: Generation,
  { promptIds, maxNewTokens }: GenerationOptions,
  readMs: number,
): boolean {
  const successor = running.successor();
  if (!successor || made.ids.length === 0) return false;
  const gainMs = running.plan.lapMs - successor.plan.lapMs;
  const left = maxNewTokens - made.ids.length;
  const rereadMs = (readMs * (promptIds.length + made.ids.length)) / promptIds.length;
  // Few answers are as long as they may be: half of what is left is a fair guess.
  return (gainMs * left) / 2 > rereadMs;
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
