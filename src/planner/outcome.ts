import type { Placement } from './evaluate.ts';

/** What a method finds, before it is dressed as a plan. */
export type Outcome =
  | {
      found: true;
      placement: Placement;
      /** Proven: no placement whatever costs less. Absent where a method proves nothing. */
      boundMs?: number;
    }
  | { found: false; reason: string; proven: boolean };
