/** Macros, and the bodies of `call` blocks, as values that can be called. */
import { TemplateFault } from '../fault.ts';
import { evaluate } from './evaluate.ts';
import { Scope } from './scope.ts';
import type { MacroParts, Statement } from '../parse/syntax.ts';
import { Dict, Thing, Tuple, Undefined, type Arguments, type Value } from '../values/values.ts';
import { namesReadIn } from '../parse/names.ts';

/** Writes statements in a scope and returns their text. */
export type WriteBody = (body: readonly Statement[], scope: Scope) => string;

/** @param scope where the macro is defined, whose names it sees */
export function macroOf(parts: MacroParts, scope: Scope, write: WriteBody): Thing {
  const { name, parameters, body } = parts;
  const read = namesReadIn(body);
  const takes = (special: string): boolean =>
    read.has(special) || parameters.some((parameter) => parameter.name === special);
  const attributes = new Map<string, Value>([
    ['name', name],
    ['arguments', new Tuple(parameters.map((parameter) => parameter.name))],
    ['catch_kwargs', takes('kwargs')],
    ['catch_varargs', takes('varargs')],
    ['caller', takes('caller')],
  ]);

  function callMacro({ positional, named }: Arguments): Value {
    const inner = new Scope(scope);
    const rest = new Map(named);
    const givenByName = (parameter: string): Value | undefined => {
      const value = rest.get(parameter);
      rest.delete(parameter);
      return value;
    };
    const missing: MacroParts['parameters'] = [];
    for (const [place, parameter] of parameters.entries()) {
      const value = place < positional.length ? positional[place] : givenByName(parameter.name);
      if (value === undefined) missing.push(parameter);
      else inner.set(parameter.name, value);
    }
    if (takes('caller') && !parameters.some((parameter) => parameter.name === 'caller'))
      inner.set('caller', givenByName('caller') ?? new Undefined('No caller defined'));
    for (const parameter of missing)
      inner.set(
        parameter.name,
        parameter.default
          ? evaluate(parameter.default, inner)
          : new Undefined(`parameter '${parameter.name}' was not provided`),
      );
    takeRest(inner, positional.slice(parameters.length), rest);
    return write(body, inner);
  }

  function takeRest(inner: Scope, values: readonly Value[], named: Map<string, Value>): void {
    if (takes('kwargs')) inner.set('kwargs', new Dict(named));
    else if (named.size > 0)
      throw new TemplateFault(
        `macro '${name}' takes no keyword argument '${[...named.keys()].join("', '")}'`,
      );
    if (takes('varargs')) inner.set('varargs', new Tuple(values));
    else if (values.length > 0)
      throw new TemplateFault(
        `macro '${name}' takes not more than ${parameters.length} argument(s)`,
      );
  }

  return new Thing('Macro', {
    attribute: (attribute) => attributes.get(attribute),
    call: callMacro,
    text: () => `<Macro '${name}'>`,
  });
}
