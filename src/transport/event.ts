import type { Subscribe } from './types.ts';

export interface Event<Arguments extends unknown[]> {
  on: Subscribe<Arguments>;
  emit(...values: Arguments): void;
}

/** Events kept while nobody listens yet. */
const maxKept = 64;

/** One kind of event. What happens before anyone listens is kept for the first who does (the last 64). */
export function createEvent<Arguments extends unknown[]>(): Event<Arguments> {
  const callbacks = new Set<(...values: Arguments) => void>();
  let kept: Arguments[] | null = [];
  return {
    on(callback) {
      // Wrapped, so that the same callback given twice is two.
      const own = (...values: Arguments): void => callback(...values);
      callbacks.add(own);
      const waiting = kept ?? [];
      kept = null;
      for (const values of waiting) own(...values);
      return () => void callbacks.delete(own);
    },
    emit(...values) {
      if (kept) {
        kept.push(values);
        if (kept.length > maxKept) kept.shift();
      }
      for (const callback of [...callbacks]) callback(...values);
    },
  };
}
