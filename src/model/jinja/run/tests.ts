/** The tests of Jinja 2: what may come after `is`, and in `select` and its kin. */
import { given } from '../values/arguments.ts';
import { TemplateFault } from '../fault.ts';
import { isFilter } from '../filters/index.ts';
import { arithmetic, compare } from '../values/operators.ts';
import { textOf } from '../values/print.ts';
import { isCased } from '../text/text-methods.ts';
import {
  areEqual,
  Dict,
  Func,
  isNumber,
  iterableOf,
  Markup,
  Range,
  Thing,
  Tuple,
  typeName,
  Undefined,
  type Arguments,
  type Value,
} from '../values/values.ts';

type Test = (value: Value, args: Arguments) => boolean;

const tests: Record<string, Test> = {
  odd: (value) => areEqual(arithmetic('%', value, 2n), 1n),
  even: (value) => areEqual(arithmetic('%', value, 2n), 0n),
  divisibleby: (value, args) => areEqual(arithmetic('%', value, argument('num', args)), 0n),
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  filter: (value) => isFilter(textOf(value)),
  test: (value) => isTest(textOf(value)),
  none: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  false: (value) => value === false,
  true: (value) => value === true,
  integer: (value) => typeof value === 'bigint',
  float: (value) => typeof value === 'number',
  lower: (value) => isCased(textOf(value), 'lower'),
  upper: (value) => isCased(textOf(value), 'upper'),
  string: (value) => typeof value === 'string' || value instanceof Markup,
  mapping: (value) => value instanceof Dict,
  number: (value) => isNumber(value),
  sequence: (value) =>
    typeof value === 'string' ||
    Array.isArray(value) ||
    [Dict, Tuple, Range, Markup, Undefined].some((type) => value instanceof type),
  iterable: (value) => iterableOf(value) !== null,
  callable: (value) =>
    value instanceof Func ||
    value instanceof Undefined ||
    (value instanceof Thing && value.call !== null),
  sameas: (value, args) => isSame(value, argument('other', args)),
  escaped: (value) => value instanceof Markup,
  in: (value, args) => compare('in', value, argument('seq', args)),
};

const comparisons = {
  '==': ['eq', 'equalto'],
  '!=': ['ne'],
  '>': ['gt', 'greaterthan'],
  '>=': ['ge'],
  '<': ['lt', 'lessthan'],
  '<=': ['le'],
} as const;

for (const [operator, names] of Object.entries(comparisons))
  for (const name of [operator, ...names])
    tests[name] = (value, args) =>
      compare(operator as keyof typeof comparisons, value, argument('other', args));

function argument(name: string, args: Arguments): Value {
  return given('the test', args, [name]).required(name);
}

/** Whether both are one object: `is` in Python. */
function isSame(left: Value, right: Value): boolean {
  return typeName(left) === typeName(right) && Object.is(left, right);
}

export function isTest(name: string): boolean {
  return Object.hasOwn(tests, name);
}

/** @throws TemplateFault for a name that Jinja does not know */
export function holds(name: string, value: Value, args: Arguments): boolean {
  if (!isTest(name)) throw new TemplateFault(`there is no test "${name}" in Jinja`);
  return tests[name](value, args);
}
