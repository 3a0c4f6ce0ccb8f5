/**
 * Asks the planner, which proves in a worker that its plan is the best. A usable plan is taken after a moment, before
 * the proof is done. When the proof ends, the room hears of it and plans again.
 */
import { asError } from '../../../../base/error-message.ts';
import type { Choice, ChooseOptions, PlannerClient, Problem } from '../../../../planner/index.ts';
import { dropOldest } from '../../../../base/drop-oldest.ts';

export type Choose = (
  problem: Problem,
  options: Pick<ChooseOptions, 'objective' | 'sourceName'>,
) => Promise<Choice>;

/** Choices kept: the last few problems are asked again while devices join one after the other. */
const remembered = 8;

export interface ChooserLimits {
  /** How long it waits for the proof before it takes what there is. */
  patienceMs: number;
  /** Past this the planner answers with a proven bound instead. */
  timeLimitMs: number;
}

/** A room that starts, or whose members change. */
const unhurried: ChooserLimits = { patienceMs: 400, timeLimitMs: 5_000 };

export function createPlanChooser(
  planner: Pick<PlannerClient, 'choose'>,
  onBetterPlan: () => void,
  { patienceMs, timeLimitMs }: ChooserLimits = unhurried,
): Choose {
  const proven = new Map<string, Choice>();

  function remember(key: string, choice: Choice): void {
    proven.set(key, choice);
    dropOldest(proven, remembered);
  }

  return (problem, options) => {
    const key = JSON.stringify([problem, options]);
    const known = proven.get(key);
    if (known) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const usable: { choice: Choice | null; isUsed: boolean } = { choice: null, isUsed: false };
      const timer = setTimeout(() => {
        if (!usable.choice) return;
        usable.isUsed = true;
        resolve(usable.choice);
      }, patienceMs);
      planner
        .choose(problem, {
          ...options,
          timeLimitMs,
          onPlan(plan) {
            const reason = 'this is the best plan so far, and better ones are still looked for';
            usable.choice = { feasible: true, plan, reason, compared: [] };
          },
        })
        .then(
          (choice) => {
            clearTimeout(timer);
            remember(key, choice);
            resolve(choice);
            if (usable.isUsed) onBetterPlan();
          },
          (error: unknown) => {
            clearTimeout(timer);
            reject(asError(error));
          },
        );
    });
  };
}
