/** Timing of something that is fast, on a machine that also does other things. */

export interface TimingLimits {
  /** Runs before counting: compilers and shader caches settle. */
  warmUpMs: number;
  measureMs: number;
}

export interface Timing {
  medianMs: number;
  /** The least disturbed run: for comparing two ways with one another. */
  leastMs: number;
}

/** At least one run before and one that counts, however long they take. */
export async function time(task: () => Promise<unknown>, limits: TimingLimits): Promise<Timing> {
  await repeat(task, limits.warmUpMs);
  const durations = await repeat(task, limits.measureMs);
  durations.sort((a, b) => a - b);
  return { medianMs: durations[Math.floor(durations.length / 2)], leastMs: durations[0] };
}

async function repeat(task: () => Promise<unknown>, budgetMs: number): Promise<number[]> {
  const durations: number[] = [];
  const end = performance.now() + budgetMs;
  do {
    const started = performance.now();
    await task();
    durations.push(performance.now() - started);
  } while (performance.now() < end);
  return durations;
}
