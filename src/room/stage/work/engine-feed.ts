/**
 * Keeps the engine at work without a break: the next job is handed over when the run before it has only its last layer
 * to do. It is not handed over earlier, since work that arrives meanwhile may share the run. Where nothing shares runs
 * it is handed over at once, since the news of a last layer may come later than its end.
 */
import { inNextTask } from '../../../base/next-task.ts';

/** What the engine is to do in one go, and what becomes of it. */
export interface EngineJob {
  /** Does it with the engine; `onLastLayer` as in `Engine.runBatch`. Handles its own failure. */
  run(onLastLayer: () => void): Promise<void>;
}

export interface EngineFeed {
  /** There may be a job now. */
  wake(): void;
  /** What a shared run led to comes one by one until this task of the page ends: the next job waits for it. */
  gather(): void;
}

export interface EngineFeedOptions {
  /** The next job, decided as late as possible; null when there is none. */
  next: () => EngineJob | null;
  /** Whether what comes later may be done together with what is there. */
  mayShare: () => boolean;
  onBusy: (busy: boolean) => void;
}

/** One runs, and one waits. */
const mostInHand = 2;

export function createEngineFeed({ next, mayShare, onBusy }: EngineFeedOptions): EngineFeed {
  /** Handed over and not done. */
  let inHand = 0;
  let isFree = true;
  let isBusy = false;
  let isGathering = false;

  function wake(): void {
    while (inHand < mostInHand && (isFree || !mayShare()) && !isGathering) {
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
    // Whoever was handed over meanwhile runs now, and says itself when its last layer has come.
    if (inHand === 0) isFree = true;
    wake();
    if (inHand === 0) show(false);
  }

  function show(busy: boolean): void {
    if (busy === isBusy) return;
    isBusy = busy;
    onBusy(busy);
  }

  function gather(): void {
    if (isGathering) return;
    isGathering = true;
    inNextTask(() => {
      isGathering = false;
      wake();
    });
  }

  return { wake, gather };
}
