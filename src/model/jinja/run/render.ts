/** Runs the statements of a template and writes its text. */
import { argumentsOf, call, evaluate } from './evaluate.ts';
import { TemplateFault } from '../fault.ts';
import { globals } from './globals.ts';
import { createLoop } from './loop.ts';
import { macroOf } from './macro.ts';
import { textOf } from '../values/print.ts';
import { Scope } from './scope.ts';
import type { Expression, Statement, Target } from '../parse/syntax.ts';
import {
  checkItemCount,
  checkTextLength,
  isTrue,
  itemsOf,
  Lazy,
  Namespace,
  typeName,
  type Value,
} from '../values/values.ts';

/**
 * @param variables what the template finds beside Jinja's own functions
 * @returns the text
 * @throws TemplateFault with one sentence
 */
export function render(
  statements: readonly Statement[],
  variables: ReadonlyMap<string, Value>,
  now = new Date(),
): string {
  const functions = new Scope(null, globals(now));
  // What `set` changes at the top level is a scope of its own, so that the given values stay.
  return write(statements, new Scope(new Scope(functions, new Map(variables))));
}

/** How a list of statements ended: a loop's `break` and `continue` end the lists around them too. */
type Ending = 'end' | 'break' | 'continue';

/** The text so far, in pieces. */
class Output {
  readonly #pieces: string[] = [];
  #length = 0;

  add(text: string): void {
    this.#length += text.length;
    checkTextLength(this.#length);
    this.#pieces.push(text);
  }

  text(): string {
    return this.#pieces.join('');
  }
}

function write(statements: readonly Statement[], scope: Scope): string {
  const output = new Output();
  const ending = run(statements, scope, output);
  if (ending !== 'end') throw new TemplateFault(`it has a "${ending}" outside of a loop`);
  return output.text();
}

function run(statements: readonly Statement[], scope: Scope, output: Output): Ending {
  for (const statement of statements) {
    const ending = runStatement(statement, scope, output);
    if (ending !== 'end') return ending;
  }
  return 'end';
}

function runStatement(statement: Statement, scope: Scope, output: Output): Ending {
  switch (statement.kind) {
    case 'text':
      output.add(statement.text);
      return 'end';
    case 'print':
      for (const value of statement.values) output.add(textOf(evaluate(value, scope)));
      return 'end';
    case 'if': {
      const taken = statement.branches.find(({ test }) => isTrue(evaluate(test, scope)));
      return run(taken?.body ?? statement.otherwise, scope, output);
    }
    case 'for':
      return runFor(statement, scope, output);
    case 'set':
      assign(statement.target, evaluate(statement.value, scope), scope);
      return 'end';
    case 'set-block': {
      const text = write(statement.body, new Scope(scope));
      assign(statement.target, filtered(statement.filter, text, scope), scope);
      return 'end';
    }
    case 'with': {
      const inner = new Scope(scope);
      // Values do not see each other.
      const values = statement.values.map(([, value]) => evaluate(value, scope));
      for (const [i, [target]] of statement.values.entries()) assign(target, values[i], inner);
      return run(statement.body, inner, output);
    }
    case 'filter-block': {
      const text = write(statement.body, new Scope(scope));
      output.add(textOf(filtered(statement.filter, text, scope)));
      return 'end';
    }
    case 'macro':
      scope.set(statement.name, macroOf(statement, scope, write));
      return 'end';
    case 'call-block': {
      const { call: macroCall, caller } = statement;
      if (macroCall.kind !== 'call') return 'end';
      const args = argumentsOf(macroCall.args, scope);
      const named = new Map(args.named).set('caller', macroOf(caller, scope, write));
      const { positional } = args;
      output.add(textOf(call(evaluate(macroCall.callee, scope), { positional, named })));
      return 'end';
    }
    case 'scope':
      output.add(write(statement.body, new Scope(scope)));
      return 'end';
    case 'break':
    case 'continue':
      return statement.kind;
  }
}

/** Applies a chain of filters, whose innermost one has no value of its own, to a text. */
function filtered(filter: Expression | null, text: string, scope: Scope): Value {
  if (!filter) return text;
  const withValue = (expression: Expression): Expression => {
    if (expression.kind !== 'filter') return expression;
    const value: Expression = expression.value
      ? withValue(expression.value)
      : { kind: 'constant', value: text };
    return { ...expression, value };
  };
  return evaluate(withValue(filter), scope);
}

type For = Extract<Statement, { kind: 'for' }>;

function runFor(statement: For, scope: Scope, output: Output, depth = 0): Ending {
  return runItems(statement, evaluate(statement.items, scope), scope, output, depth);
}

function runItems(
  statement: For,
  iterable: Value,
  scope: Scope,
  output: Output,
  depth: number,
): Ending {
  const { target, body, otherwise, isRecursive } = statement;
  const items = chosenItems(statement, iterable, scope);
  const recurse = (inner: Value): Value => {
    const text = new Output();
    runItems(statement, inner, scope, text, depth + 1);
    return text.text();
  };
  const loop = createLoop(items, depth, isRecursive ? recurse : null);
  for (const [place, item] of items.entries()) {
    loop.moveTo(place);
    const inner = new Scope(scope);
    inner.set('loop', loop.value);
    assign(target, item, inner);
    if (run(body, inner, output) !== 'break') continue;
    if (iterable instanceof Lazy && place < items.length - 1) iterable.leave();
    break;
  }
  // As in Python's own loops, but only where there was no item.
  return items.length === 0 ? run(otherwise, new Scope(scope), output) : 'end';
}

function chosenItems({ target, condition }: For, iterable: Value, scope: Scope): Value[] {
  const items: Value[] = [];
  for (const item of itemsOf(iterable)) {
    checkItemCount(items.length);
    if (condition) {
      const inner = new Scope(scope);
      assign(target, item, inner);
      if (!isTrue(evaluate(condition, inner))) continue;
    }
    items.push(item);
  }
  return items;
}

function assign(target: Target, value: Value, scope: Scope): void {
  switch (target.kind) {
    case 'name':
      scope.set(target.name, value);
      return;
    case 'member': {
      const namespace = scope.get(target.namespace);
      if (!(namespace instanceof Namespace))
        throw new TemplateFault('cannot assign attribute on non-namespace object');
      namespace.attributes.set(target.attribute, value);
      return;
    }
    case 'tuple':
      unpack(target.items, value, scope);
      return;
  }
}

function unpack(targets: readonly Target[], value: Value, scope: Scope): void {
  const items = [...itemsOf(value)];
  if (items.length !== targets.length)
    throw new TemplateFault(
      `a ${typeName(value)} of ${items.length} items cannot be given to ${targets.length} names`,
    );
  for (const [i, target] of targets.entries()) assign(target, items[i], scope);
}
