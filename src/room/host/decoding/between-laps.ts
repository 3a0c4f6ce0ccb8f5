/**
 * What the host takes between two laps: to choose the token, and to write it down. With a small model, a draw from a large
 * vocabulary is a good part of a token's time, so a prediction counts it.
 */
import { dropOldest } from '../../../base/drop-oldest.ts';
import type { SamplingOptions } from '../../room.ts';
import { median } from '../../../base/median.ts';

export interface BetweenLaps {
  /** A token that is chosen this way took so long. */
  observe(sampling: SamplingOptions, ms: number): void;
  /** What it usually takes, ms; 0 until that is known. */
  usualMs(sampling: SamplingOptions): number;
}

const window = 64;
/** The first are slow: the page's code is still being compiled. */
const fewest = 16;
const mostKinds = 32;

export function createBetweenLaps(): BetweenLaps {
  /** By how tokens are chosen; the one used last is last. */
  const kinds = new Map<string, number[]>();

  return {
    observe(sampling, ms) {
      const kind = kindOf(sampling);
      const values = kinds.get(kind) ?? [];
      kinds.delete(kind);
      kinds.set(kind, values);
      values.push(ms);
      if (values.length > window) values.shift();
      dropOldest(kinds, mostKinds);
    },
    usualMs(sampling) {
      const values = kinds.get(kindOf(sampling)) ?? [];
      return values.length < fewest ? 0 : (median(values) ?? 0);
    },
  };
}

function kindOf(sampling: SamplingOptions): string {
  const { temperature, repetitionPenalty } = sampling;
  if (temperature === 0) return JSON.stringify({ temperature, repetitionPenalty });
  return JSON.stringify({ ...sampling, seed: null });
}
