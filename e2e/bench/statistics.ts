/** Figures from noisy samples. */

/** The value that `share` of the samples do not exceed; NaN without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted.at(Math.min(sorted.length - 1, Math.floor(share * sorted.length))) ?? NaN;
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}
