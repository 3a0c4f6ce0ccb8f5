/**
 * Keeps the engine at work without a break: what comes next is handed over when the run before it has only its
 * last row to do. Not earlier, since what arrives meanwhile may share the run.
 */

/** What the engine is to do in one go, and what becomes of it. */
export interface EngineJob {
  /** Does it with the engine; `onLastRow` as in `Engine.runBatch`. Handles its own failure. */
  run(onLastRow: () => void): Promise<void>;
}

export interface EngineFeed {
  /** There may be a job now. */
  wake(): void;
}

export interface EngineFeedOptions {
  /** The next job, decided as late as possible; null when there is none. */
  next: () => EngineJob | null;
  onBusy: (busy: boolean) => void;
}

export function createEngineFeed({ next, onBusy }: EngineFeedOptions): EngineFeed {
  /** Handed over and not done: at most one runs and one waits. */
  let inHand = 0;
  let isFree = true;
  let isBusy = false;

  function wake(): void {
    while (isFree) {
      const job = next();
      if (!job) return;
      isFree = false;
      inHand++;
      show(true);
      void job.run(free).finally(done);
    }
  }

  function free(): void {
    isFree = true;
    wake();
  }

  function done(): void {
    inHand--;
    // Whoever was handed over meanwhile runs now, and says itself when its last row has come.
    if (inHand === 0) free();
    if (inHand === 0) show(false);
  }

  function show(busy: boolean): void {
    if (busy === isBusy) return;
    isBusy = busy;
    onBusy(busy);
  }

  return { wake };
}
