/** Times a fast task on a machine that also does other things. */

export interface TimingLimits {
  /** Time for uncounted runs, in which compilers and shader caches settle. */
  warmUpMs: number;
  measureMs: number;
}

/**
 * The lower quartile of the milliseconds that `task` takes: other work comes in bursts, which must not count
 * as this device's speed. At least one run before and one that counts, however long they take.
 */
export async function typicalMs(
  task: () => Promise<unknown>,
  limits: TimingLimits,
): Promise<number> {
  await repeat(task, limits.warmUpMs);
  const durations = await repeat(task, limits.measureMs);
  durations.sort((a, b) => a - b);
  return durations[Math.floor(durations.length / 4)];
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
