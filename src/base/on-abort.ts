/** Work for when a signal aborts: done at once where it has already, which an event listener would miss. */
export function onAbort(signal: AbortSignal, work: () => void): void {
  if (signal.aborted) work();
  else signal.addEventListener('abort', work, { once: true });
}
