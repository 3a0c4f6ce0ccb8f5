import type { Value } from '../values/values.ts';

/** Names and their values. A scope inside another reads its names too, and assigns its own alone. */
export class Scope {
  readonly #values: Map<string, Value>;
  readonly #outer: Scope | null;

  constructor(outer: Scope | null, values: Map<string, Value> = new Map()) {
    this.#outer = outer;
    this.#values = values;
  }

  /** Undefined for a name that has no value; None is a value. */
  get(name: string): Value | undefined {
    const value = this.#values.get(name);
    return value === undefined ? this.#outer?.get(name) : value;
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}
