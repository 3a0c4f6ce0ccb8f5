/** Which names a part of a template reads and which it sets. */
import type { CallArguments, Expression, Parameter, Statement, Target } from './syntax.ts';

export interface NameListener {
  onRead?: (name: string) => void;
  /** Every expression that is no part of another. */
  onWhole?: (expression: Expression) => void;
  /** Every expression, from the outside in. */
  onExpression?: (expression: Expression) => void;
  /** Something is set to an expression; null where it is not known from one. */
  onSet?: (target: Target, value: Expression | null) => void;
}

/** The names that a target sets; a member of an object is none. */
export function namesIn(target: Target): string[] {
  switch (target.kind) {
    case 'name':
      return [target.name];
    case 'tuple':
      return target.items.flatMap(namesIn);
    case 'member':
      return [];
  }
}

/** Every name that is read, macros and loops inside included. */
export function namesReadIn(statements: readonly Statement[]): Set<string> {
  const names = new Set<string>();
  walk(statements, { onRead: (name) => names.add(name) });
  return names;
}

/** Goes through statements and expressions in the order in which they are written. */
export function walk(statements: readonly Statement[], listener: NameListener): void {
  for (const statement of statements) walkStatement(statement, listener);
}

function walkStatement(statement: Statement, listener: NameListener): void {
  const read = (expression: Expression | null): void => {
    if (expression) walkWhole(expression, listener);
  };
  switch (statement.kind) {
    case 'text':
      return;
    case 'print':
      statement.values.forEach(read);
      return;
    case 'if':
      for (const { test, body } of statement.branches) {
        read(test);
        walk(body, listener);
      }
      walk(statement.otherwise, listener);
      return;
    case 'for':
      read(statement.items);
      listener.onSet?.(statement.target, null);
      read(statement.condition);
      walk(statement.body, listener);
      walk(statement.otherwise, listener);
      return;
    case 'set':
      read(statement.value);
      listener.onSet?.(statement.target, statement.value);
      return;
    case 'set-block':
      walk(statement.body, listener);
      read(statement.filter);
      listener.onSet?.(statement.target, null);
      return;
    case 'with':
      for (const [target, value] of statement.values) {
        read(value);
        listener.onSet?.(target, value);
      }
      walk(statement.body, listener);
      return;
    case 'filter-block':
      walk(statement.body, listener);
      read(statement.filter);
      return;
    case 'macro':
      listener.onSet?.({ kind: 'name', name: statement.name }, null);
      walkParameters(statement.parameters, listener);
      walk(statement.body, listener);
      return;
    case 'call-block':
      read(statement.call);
      walkParameters(statement.caller.parameters, listener);
      walk(statement.caller.body, listener);
      return;
    case 'scope':
      walk(statement.body, listener);
      return;
    case 'break':
    case 'continue':
      return;
  }
}

function walkParameters(parameters: readonly Parameter[], listener: NameListener): void {
  for (const { name, default: value } of parameters) {
    if (value) walkWhole(value, listener);
    listener.onSet?.({ kind: 'name', name }, null);
  }
}

function walkWhole(expression: Expression, listener: NameListener): void {
  listener.onWhole?.(expression);
  walkExpression(expression, listener);
}

function walkExpression(expression: Expression, listener: NameListener): void {
  listener.onExpression?.(expression);
  for (const part of partsOf(expression)) walkExpression(part, listener);
  if (expression.kind === 'name') listener.onRead?.(expression.name);
}

/** The expressions that an expression consists of. */
export function partsOf(expression: Expression): Expression[] {
  switch (expression.kind) {
    case 'constant':
    case 'name':
      return [];
    case 'list':
    case 'tuple':
      return expression.items;
    case 'dict':
      return expression.entries.flat();
    case 'attribute':
      return [expression.object];
    case 'item':
      return [expression.object, expression.key];
    case 'slice':
      return [expression.start, expression.stop, expression.step].filter((part) => part !== null);
    case 'call':
      return [expression.callee, ...argumentParts(expression.args)];
    case 'filter':
      return [...(expression.value ? [expression.value] : []), ...argumentParts(expression.args)];
    case 'test':
      return [expression.value, ...argumentParts(expression.args)];
    case 'negate':
    case 'plus':
    case 'not':
      return [expression.operand];
    case 'and':
    case 'or':
    case 'arithmetic':
      return [expression.left, expression.right];
    case 'concat':
      return expression.parts;
    case 'compare':
      return [expression.first, ...expression.rest.map(({ operand }) => operand)];
    case 'choice':
      return [expression.test, expression.yes, ...(expression.no ? [expression.no] : [])];
  }
}

function argumentParts({ positional, named, spread, namedSpread }: CallArguments): Expression[] {
  const values = [...positional, ...named.map(([, value]) => value)];
  return [...values, ...[spread, namedSpread].filter((part) => part !== null)];
}
