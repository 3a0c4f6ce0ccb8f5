/** The planner's workers, and how long each kind of question may take them. */
import { startPlanner } from '../../../../planner/index.ts';
import { createPlanChooser, type Choose } from './plan-chooser.ts';

export interface PlannerWorkers {
  /** For a room that starts, or whose members change. */
  choose: Choose;
  /** For a room that has just lost a device: a plan is wanted at once, and a better one follows. */
  chooseAfterLoss: Choose;
  /** For losses that may never happen. */
  chooseInAdvance: Choose;
}

const afterLossPatienceMs = 50;
/** A plan for what may never happen is not worth more of the machine. */
const failoverLimitMs = 300;

/** `onBetter`: a plan that was used before it was proven turned out not to be the best. */
export function startPlannerWorkers(signal: AbortSignal, onBetter: () => void): PlannerWorkers {
  const planner = startPlanner();
  // Failover plans are made beside the plans for now, and never in front of them.
  const failoverPlanner = startPlanner();
  signal.addEventListener('abort', () => {
    planner.dispose();
    failoverPlanner.dispose();
  });
  return {
    choose: createPlanChooser(planner, onBetter),
    chooseAfterLoss: createPlanChooser(planner, onBetter, {
      patienceMs: afterLossPatienceMs,
      timeLimitMs: failoverLimitMs,
    }),
    chooseInAdvance: createPlanChooser(failoverPlanner, () => undefined, {
      patienceMs: 2 * failoverLimitMs,
      timeLimitMs: failoverLimitMs,
    }),
  };
}
