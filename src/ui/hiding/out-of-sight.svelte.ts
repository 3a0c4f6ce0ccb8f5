/** Whether the page is hidden, and how long it last was: what a person who comes back should know. */

export interface OutOfSight {
  /** How long the page was hidden the last time, ms; null where it never was. */
  readonly lastMs: number | null;
}

/** Follows the page for as long as the component lives that calls this. */
export function followVisibility(): OutOfSight {
  let lastMs = $state<number | null>(null);

  $effect(() => {
    let hiddenAtMs = document.hidden ? performance.now() : null;
    let title = document.title;
    const changed = (): void => {
      if (document.hidden) {
        hiddenAtMs = performance.now();
        title = document.title;
        // The one thing of a hidden tab that may still be in sight.
        document.title = `Hidden and slowed down · ${title}`;
      } else if (hiddenAtMs !== null) {
        lastMs = performance.now() - hiddenAtMs;
        hiddenAtMs = null;
        document.title = title;
      }
    };
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  });

  return {
    get lastMs() {
      return lastMs;
    },
  };
}
