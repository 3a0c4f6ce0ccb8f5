/**
 * Makes one answer: reads the prompt, then token after token, through whatever plan runs. When the
 * plan breaks under way, the tokens so far are read again by the next one; what was shown stays.
 */
import type { LapTiming } from '../room.ts';
import { LapLost, type LapRunner } from './lap-runner.ts';
import type { Planning, RunningLap } from './planning.ts';
import { topLogits, type Sampler } from './sampler.ts';

export interface GenerationOptions {
  promptIds: readonly number[];
  sampler: Sampler;
  maxNewTokens: number;
  contextLength: number;
  /** Ids that end the text. */
  stopIds: ReadonlySet<number>;
  topLogits: number;
  /** Tokens a frame while the prompt is read. */
  prefillChunk: (running: RunningLap) => number;
  nextSequence: () => number;
  release: (sequence: number) => void;
  signal: AbortSignal;
  onReading: (running: RunningLap) => void;
  onToken: (id: number, running: RunningLap) => void;
  onPaused: (reason: string) => void;
}

export interface Generation {
  ids: number[];
  topLogits: [id: number, logit: number][][];
  /** One a lap that brought a token. */
  laps: LapTiming[];
  predictedMsPerToken: number;
  because: 'end' | 'length' | 'stopped';
}

export async function generate(
  planning: Planning,
  laps: LapRunner,
  options: GenerationOptions,
): Promise<Generation> {
  const made: Generation = {
    ids: [],
    topLogits: [],
    laps: [],
    predictedMsPerToken: 0,
    because: 'length',
  };
  for (;;) {
    try {
      await planning.use((running) => generateOn(running, laps, options, made), options.signal);
      return made;
    } catch (error) {
      if (options.signal.aborted) return { ...made, because: 'stopped' };
      if (!(error instanceof LapLost)) throw error;
      options.onPaused(error.message);
    }
  }
}

/** Goes on from the tokens in `made`, until the end or until the lap is lost. */
async function generateOn(
  running: RunningLap,
  laps: LapRunner,
  options: GenerationOptions,
  made: Generation,
): Promise<void> {
  const { promptIds, signal, contextLength } = options;
  const sequence = options.nextSequence();
  const chunk = options.prefillChunk(running);
  made.predictedMsPerToken = running.predictedMsPerToken;
  options.onReading(running);
  try {
    let fresh: readonly number[] = [...promptIds, ...made.ids];
    for (let position = 0; ;) {
      if (hasEnded(made, options)) return;
      if (position + fresh.length > contextLength) return;
      const trip = laps.run(running, { sequence, position, ids: fresh, chunk });
      const { logits, timing } = await orStopped(trip, signal);
      position += fresh.length;
      made.laps.push(timing);
      if (options.topLogits > 0) made.topLogits.push(topLogits(logits, options.topLogits));
      const id = options.sampler.next(logits, [...promptIds, ...made.ids]);
      made.ids.push(id);
      options.onToken(id, running);
      fresh = [id];
    }
  } finally {
    options.release(sequence);
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
