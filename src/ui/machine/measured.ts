/** The latest measurement that belongs beside the running plan's prediction. */
import type { AnswerView, PlanView } from '../../room/view.ts';

/** Median ms per token of the newest answer given under this prediction; null until there is one. */
export function measuredMsPerToken(plan: PlanView, answers: readonly AnswerView[]): number | null {
  const underThisPlan = answers.findLast(
    ({ msPerToken, predictedMsPerToken }) =>
      msPerToken !== null && isSame(predictedMsPerToken, plan.predictedMsPerToken),
  );
  return underThisPlan?.msPerToken ?? null;
}

/** A figure that may have been rounded on its way here. */
function isSame(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-3 * Math.max(Math.abs(a), Math.abs(b));
}
