/** Runs the work when the signal aborts, or at once if it already has, which an event listener would miss. */
export function onAbort(signal: AbortSignal, work: () => void): void {
  if (signal.aborted) work();
  else signal.addEventListener('abort', work, { once: true });
}
