import type { AnswerView, LapView, PlanView } from '../../room/index.ts';

export interface Measured {
  msPerToken: number;
  /** For that answer, whose length the prediction knows. */
  predictedMsPerToken: number;
  lap: LapView;
}

/** Of the newest answer whose tokens went round this plan's lap; null until there is one. */
export function measuredOn(plan: PlanView, answers: readonly AnswerView[]): Measured | null {
  for (const { msPerToken, predictedMsPerToken, lap } of answers.toReversed())
    if (msPerToken !== null && lap?.planVersion === plan.planVersion)
      return { msPerToken, predictedMsPerToken, lap };
  return null;
}
