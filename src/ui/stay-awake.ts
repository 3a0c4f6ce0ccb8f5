/**
 * Keeps the screen on while a tab is in a room, as far as the browser lets it: a locked phone leaves the
 * room. Returns what ends it.
 */
export function stayAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let isOver = false;
  const hasEnded = (): boolean => isOver;

  async function request(): Promise<void> {
    if (hasEnded() || document.visibilityState !== 'visible') return;
    const { wakeLock } = navigator as { wakeLock?: WakeLock };
    try {
      lock = (await wakeLock?.request('screen')) ?? null;
    } catch {
      // Refused, as with a low battery: the page's own words ask the person to keep the tab in sight.
      return;
    }
    if (hasEnded()) await lock?.release();
  }

  // A browser drops the lock whenever the tab is hidden.
  const again = (): void => void request();
  document.addEventListener('visibilitychange', again);
  again();

  return () => {
    isOver = true;
    document.removeEventListener('visibilitychange', again);
    void lock?.release();
  };
}
