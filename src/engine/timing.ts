/** Timing of something that is fast, on a machine that also does other things. */

export interface TimingLimits {
  /** Runs before counting: compilers and shader caches settle. */
  warmUpMs: number;
  measureMs: number;
}

/** Median ms of `task`; at least two runs before and three that count, however long they take. */
export async function medianMs(
  task: () => Promise<unknown>,
  limits: TimingLimits,
): Promise<number> {
  await repeat(task, 2, limits.warmUpMs);
  const durations = await repeat(task, 3, limits.measureMs);
  durations.sort((a, b) => a - b);
  return durations[Math.floor(durations.length / 2)];
}

async function repeat(
  task: () => Promise<unknown>,
  least: number,
  budgetMs: number,
): Promise<number[]> {
  const durations: number[] = [];
  const end = performance.now() + budgetMs;
  while (durations.length < least || performance.now() < end) {
    const started = performance.now();
    await task();
    durations.push(performance.now() - started);
  }
  return durations;
}
