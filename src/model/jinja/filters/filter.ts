import type { Arguments, Value } from '../values/values.ts';

/** What a filter may use beside its value and arguments. */
export interface FilterContext {
  /** Applies another filter by its name, as `map` does. */
  filter(name: string, value: Value, args: Arguments): Value;
  /** Applies a test by its name, as `select` does. */
  test(name: string, value: Value, args: Arguments): boolean;
}

export type Filter = (value: Value, args: Arguments, context: FilterContext) => Value;
