/** Gives the arguments of a call to a function's parameters, as Python does. */
import { TemplateFault } from '../fault.ts';
import { asInteger, asText, isTrue, typeName, type Arguments, type Value } from './values.ts';

/** What was given for each parameter; undefined for one that was left out. */
export class Given {
  readonly #function: string;
  readonly #values: ReadonlyMap<string, Value>;

  constructor(name: string, values: ReadonlyMap<string, Value>) {
    this.#function = name;
    this.#values = values;
  }

  value(parameter: string): Value | undefined {
    return this.#values.get(parameter);
  }

  required(parameter: string): Value {
    const value = this.#values.get(parameter);
    if (value === undefined)
      throw new TemplateFault(`${this.#function}() missing a required argument: '${parameter}'`);
    return value;
  }

  /** A str; undefined where nothing or None was given. */
  text(parameter: string): string | undefined {
    const value = this.#values.get(parameter);
    if (value === undefined || value === null) return undefined;
    return asText(value) ?? this.#wrong(parameter, value, 'a str');
  }

  /** An int; undefined where nothing or None was given. */
  integer(parameter: string): number | undefined {
    const value = this.#values.get(parameter);
    if (value === undefined || value === null) return undefined;
    const whole = asInteger(value) ?? this.#wrong(parameter, value, 'an int');
    return Number(whole);
  }

  flag(parameter: string): boolean {
    const value = this.#values.get(parameter);
    return value !== undefined && isTrue(value);
  }

  #wrong(parameter: string, value: Value, expected: string): never {
    throw new TemplateFault(
      `${this.#function}() takes ${expected} as '${parameter}', not ${typeName(value)}`,
    );
  }
}

/**
 * @param parameters names in order
 * @throws TemplateFault for too many arguments, and for a name that is not a parameter's
 */
export function given(
  name: string,
  { positional, named }: Arguments,
  parameters: readonly string[],
): Given {
  if (positional.length > parameters.length)
    throw new TemplateFault(
      `${name}() takes at most ${parameters.length} arguments, and ${positional.length} were given`,
    );
  const values = new Map(positional.map((value, i) => [parameters[i], value]));
  for (const [parameter, value] of named) {
    if (!parameters.includes(parameter))
      throw new TemplateFault(`${name}() got an unexpected keyword argument '${parameter}'`);
    if (values.has(parameter))
      throw new TemplateFault(`${name}() got multiple values for argument '${parameter}'`);
    values.set(parameter, value);
  }
  return new Given(name, values);
}
