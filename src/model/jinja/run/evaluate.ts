/** Computes the value of an expression. */
import { TemplateFault, UnsupportedFeature } from '../fault.ts';
import { filterNamed, type FilterContext } from '../filters/index.ts';
import { notCallable } from './globals.ts';
import { arithmetic, compare, negated, plus } from '../values/operators.ts';
import { textOf } from '../values/print.ts';
import type { Scope } from './scope.ts';
import { attributeOf, itemOf, Slice } from '../values/subscripts.ts';
import type { CallArguments, Expression } from '../parse/syntax.ts';
import { holds } from './tests.ts';
import {
  asText,
  checkTextLength,
  Dict,
  Func,
  isTrue,
  itemsOf,
  Thing,
  Tuple,
  Undefined,
  type Arguments,
  type Value,
} from '../values/values.ts';

const filterContext: FilterContext = { filter: applyFilter, test: holds };

/** @throws TemplateFault where Python would raise, with one sentence */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'name':
      return nameIn(expression.name, scope);
    case 'list':
      return expression.items.map((item) => evaluate(item, scope));
    case 'tuple':
      return new Tuple(expression.items.map((item) => evaluate(item, scope)));
    case 'dict':
      return new Dict(
        expression.entries.map(
          ([key, value]) => [evaluate(key, scope), evaluate(value, scope)] as const,
        ),
      );
    case 'attribute':
      return attributeOf(evaluate(expression.object, scope), expression.name);
    case 'item':
      return itemOf(evaluate(expression.object, scope), keyOf(expression.key, scope));
    case 'slice':
      throw new TemplateFault('it slices outside of square brackets');
    case 'call':
      return call(evaluate(expression.callee, scope), argumentsOf(expression.args, scope));
    case 'filter': {
      const { value, name, args } = expression;
      if (!value) throw new TemplateFault(`the filter "${name}" has no value`);
      return applyFilter(name, evaluate(value, scope), argumentsOf(args, scope));
    }
    case 'test':
      return holds(
        expression.name,
        evaluate(expression.value, scope),
        argumentsOf(expression.args, scope),
      );
    case 'negate':
      return negated(evaluate(expression.operand, scope));
    case 'plus':
      return plus(evaluate(expression.operand, scope));
    case 'not':
      return !isTrue(evaluate(expression.operand, scope));
    case 'and': {
      const left = evaluate(expression.left, scope);
      return isTrue(left) ? evaluate(expression.right, scope) : left;
    }
    case 'or': {
      const left = evaluate(expression.left, scope);
      return isTrue(left) ? left : evaluate(expression.right, scope);
    }
    case 'arithmetic': {
      const left = evaluate(expression.left, scope);
      return arithmetic(expression.operator, left, evaluate(expression.right, scope));
    }
    case 'concat': {
      const texts = expression.parts.map((part) => textOf(evaluate(part, scope)));
      checkTextLength(texts.reduce((sum, text) => sum + text.length, 0));
      return texts.join('');
    }
    case 'compare':
      return compareAll(expression, scope);
    case 'choice':
      if (isTrue(evaluate(expression.test, scope))) return evaluate(expression.yes, scope);
      if (expression.no) return evaluate(expression.no, scope);
      return new Undefined('an inline if was false, and has no else');
  }
}

function nameIn(name: string, scope: Scope): Value {
  const value = scope.get(name);
  if (value === undefined && name === 'self') throw new UnsupportedFeature('the name "self"');
  return value === undefined ? new Undefined(`'${name}' is undefined`) : value;
}

/** `a < b < c` holds where both comparisons do. */
function compareAll(
  { first, rest }: Extract<Expression, { kind: 'compare' }>,
  scope: Scope,
): boolean {
  let left = evaluate(first, scope);
  for (const { operator, operand } of rest) {
    const right = evaluate(operand, scope);
    if (!compare(operator, left, right)) return false;
    left = right;
  }
  return true;
}

function keyOf(key: Expression, scope: Scope): Value | Slice {
  if (key.kind !== 'slice') return evaluate(key, scope);
  const bound = (part: Expression | null): Value => (part ? evaluate(part, scope) : null);
  return new Slice(bound(key.start), bound(key.stop), bound(key.step));
}

export function argumentsOf(args: CallArguments, scope: Scope): Arguments {
  const positional = args.positional.map((argument) => evaluate(argument, scope));
  const named = new Map(args.named.map(([name, value]) => [name, evaluate(value, scope)]));
  if (args.spread) positional.push(...itemsOf(evaluate(args.spread, scope)));
  if (args.namedSpread) {
    const more = evaluate(args.namedSpread, scope);
    if (!(more instanceof Dict)) throw new TemplateFault('what comes after ** must be a dict');
    for (const [name, value] of more.entries()) {
      const text = asText(name);
      if (text === undefined) throw new TemplateFault('keywords must be strings');
      named.set(text, value);
    }
  }
  return { positional, named };
}

export function call(callee: Value, args: Arguments): Value {
  if (callee instanceof Undefined) return callee.fail();
  if (callee instanceof Func) return callee.call(args);
  if (callee instanceof Thing && callee.call) return callee.call(args);
  throw notCallable(callee);
}

export function applyFilter(name: string, value: Value, args: Arguments): Value {
  const filter = filterNamed(name);
  if (!filter) throw new TemplateFault(`there is no filter "${name}" in Jinja`);
  return filter(value, args, filterContext);
}
