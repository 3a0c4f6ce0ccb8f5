/** Formats numbers for people. */

/** `25.1 GB`, `310 MB`: decimal units, as memory is advertised. */
export function formatBytes(bytes: number): string {
  for (const [unit, size, digits] of [
    ['GB', 1e9, 1],
    ['MB', 1e6, 0],
    ['kB', 1e3, 0],
  ] as const)
    if (bytes >= size) return `${(bytes / size).toFixed(digits)} ${unit}`;
  return `${bytes} bytes`;
}

/** `41 ms`, `9.4 ms`, `0.82 ms`: two significant digits. */
export function formatMs(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 20 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toPrecision(2)} ms`;
}

/** `this laptop alone`, `two devices`: small numbers as words. */
export function formatCount(count: number): string {
  const names = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  return names[count] ?? String(count);
}
