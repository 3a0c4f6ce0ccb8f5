import type { Placement } from './evaluate.ts';

/** A method's result, from which `solve.ts` makes a plan. */
export type Outcome =
  | {
      found: true;
      placement: Placement;
      /** Proven: no placement costs less. Absent if a method proves nothing. */
      boundMs?: number;
    }
  | { found: false; reason: string; proven: boolean };
