/**
 * Limits on what other devices make this one hold. Each may open a number of sequences, whose caches take memory until
 * the host releases them. Of one sequence, no more positions may wait than a context is long.
 */
import type { StageLimits } from './stage-options.ts';
import { positionsOf, type Work } from './work/index.ts';

export interface OpenSequences {
  /** False where `from` has opened as many as it may. */
  open(from: string, sequence: number): boolean;
  release(sequence: number): void;
  /** All that are open, whoever opened them. */
  numbers(): Set<number>;
  /** Work that waits to be run. Throws one sentence where its sender has too much waiting. */
  waits(work: Work): void;
  /** It waits no longer. */
  taken(work: Work): void;
}

/** @param limits hold for each sender */
export function createOpenSequences(
  limits: Pick<StageLimits, 'mostSequences'>,
  contextLength: number,
): OpenSequences {
  const openedBy = new Map<string, Set<number>>();
  /** Positions, by sender, lap and sequence. */
  const waiting = new Map<string, number>();

  return {
    open(from, sequence) {
      const opened = openedBy.get(from) ?? new Set<number>();
      if (!opened.has(sequence) && opened.size >= limits.mostSequences()) return false;
      openedBy.set(from, opened.add(sequence));
      return true;
    },
    release(sequence) {
      for (const [from, opened] of openedBy)
        if (opened.delete(sequence) && opened.size === 0) openedBy.delete(from);
    },
    numbers: () => new Set([...openedBy.values()].flatMap((opened) => [...opened])),
    waits(work) {
      const name = nameOf(work);
      const positions = (waiting.get(name) ?? 0) + positionsOf(work.input);
      // Pieces of a prompt follow each other, and no position is sent twice in a lap.
      if (work.from !== null && positions > contextLength)
        throw new Error(
          `${work.from} sent more of sequence ${work.sequence} at once than the context of ${contextLength}`,
        );
      waiting.set(name, positions);
    },
    taken(work) {
      const name = nameOf(work);
      const positions = (waiting.get(name) ?? 0) - positionsOf(work.input);
      if (positions > 0) waiting.set(name, positions);
      else waiting.delete(name);
    },
  };
}

function nameOf({ from, lap, sequence }: Work): string {
  return `${from} ${lap.planVersion} ${sequence}`;
}
