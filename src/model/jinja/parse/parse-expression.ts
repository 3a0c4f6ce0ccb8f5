/** Reads expressions, in the order of precedence of Jinja 2's own parser. */
import { TemplateFault } from '../fault.ts';
import type { Arithmetic, CallArguments, Comparison, Expression, Target } from './syntax.ts';
import type { TokenStream } from './token-stream.ts';

const noCallArguments: CallArguments = {
  positional: [],
  named: [],
  spread: null,
  namedSpread: null,
};

export function parseExpression(stream: TokenStream): Expression {
  let expression = parseOr(stream);
  while (stream.skipIf('name', 'if')) {
    const test = parseOr(stream);
    const no = stream.skipIf('name', 'else') ? parseExpression(stream) : null;
    expression = { kind: 'choice', test, yes: expression, no };
  }
  return expression;
}

export function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream);
  while (stream.skipIf('name', 'or')) left = { kind: 'or', left, right: parseAnd(stream) };
  return left;
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream);
  while (stream.skipIf('name', 'and')) left = { kind: 'and', left, right: parseNot(stream) };
  return left;
}

function parseNot(stream: TokenStream): Expression {
  if (stream.skipIf('name', 'not')) return { kind: 'not', operand: parseNot(stream) };
  return parseComparison(stream);
}

const comparisons: readonly string[] = ['==', '!=', '<', '<=', '>', '>='];

function parseComparison(stream: TokenStream): Expression {
  const first = parseSum(stream);
  const rest: { operator: Comparison; operand: Expression }[] = [];
  for (;;) {
    const operator = readComparison(stream);
    if (operator === null) break;
    rest.push({ operator, operand: parseSum(stream) });
  }
  return rest.length === 0 ? first : { kind: 'compare', first, rest };
}

function readComparison(stream: TokenStream): Comparison | null {
  if (stream.isOperator(...comparisons)) return stream.next().text as Comparison;
  if (stream.skipIf('name', 'in')) return 'in';
  const { kind, text } = stream.look();
  if (!stream.isName('not') || kind !== 'name' || text !== 'in') return null;
  stream.next();
  stream.next();
  return 'not in';
}

function parseSum(stream: TokenStream): Expression {
  return parseArithmetic(stream, ['+', '-'], parseConcat);
}

function parseConcat(stream: TokenStream): Expression {
  const parts = [parseProduct(stream)];
  while (stream.skipIf('operator', '~')) parts.push(parseProduct(stream));
  return parts.length === 1 ? parts[0] : { kind: 'concat', parts };
}

function parseProduct(stream: TokenStream): Expression {
  return parseArithmetic(stream, ['*', '/', '//', '%'], (inner) =>
    parseArithmetic(inner, ['**'], (operand) => parseUnary(operand, true)),
  );
}

function parseArithmetic(
  stream: TokenStream,
  operators: Arithmetic[],
  parseOperand: (stream: TokenStream) => Expression,
): Expression {
  let left = parseOperand(stream);
  while (stream.isOperator(...operators)) {
    const operator = stream.next().text as Arithmetic;
    left = { kind: 'arithmetic', operator, left, right: parseOperand(stream) };
  }
  return left;
}

function parseUnary(stream: TokenStream, withFilter: boolean): Expression {
  let node: Expression;
  if (stream.skipIf('operator', '-')) node = { kind: 'negate', operand: parseUnary(stream, false) };
  else if (stream.skipIf('operator', '+'))
    node = { kind: 'plus', operand: parseUnary(stream, false) };
  else node = parsePrimary(stream);
  node = parsePostfix(stream, node);
  return withFilter ? parseFiltersAndTests(stream, node) : node;
}

function parsePrimary(stream: TokenStream): Expression {
  const token = stream.current;
  switch (token.kind) {
    case 'name':
      stream.next();
      return nameOrConstant(token.text);
    case 'string': {
      let value = '';
      for (let part = stream.current; part.kind === 'string'; part = stream.current) {
        value += part.value;
        stream.next();
      }
      return { kind: 'constant', value };
    }
    case 'number':
      stream.next();
      return { kind: 'constant', value: token.value };
    default:
      break;
  }
  if (stream.skipIf('operator', '(')) {
    const inner = parseTuple(stream, parseExpression, { mayBeEmpty: true });
    stream.expect('operator', ')');
    return inner;
  }
  if (stream.skipIf('operator', '['))
    return { kind: 'list', items: parseItems(stream, ']', parseExpression) };
  if (stream.skipIf('operator', '{')) {
    const entries = parseItems(stream, '}', (inner): [Expression, Expression] => {
      const key = parseExpression(inner);
      inner.expect('operator', ':');
      return [key, parseExpression(inner)];
    });
    return { kind: 'dict', entries };
  }
  return stream.fail('a value');
}

function nameOrConstant(name: string): Expression {
  switch (name) {
    case 'true':
    case 'True':
      return { kind: 'constant', value: true };
    case 'false':
    case 'False':
      return { kind: 'constant', value: false };
    case 'none':
    case 'None':
      return { kind: 'constant', value: null };
    default:
      return { kind: 'name', name };
  }
}

/** Items with commas between them, and perhaps one after the last, up to a bracket that closes. */
function parseItems<Item>(
  stream: TokenStream,
  close: string,
  parseItem: (stream: TokenStream) => Item,
): Item[] {
  const items: Item[] = [];
  while (!stream.isOperator(close)) {
    if (items.length > 0) stream.expect('operator', ',');
    if (stream.isOperator(close)) break;
    items.push(parseItem(stream));
  }
  stream.expect('operator', close);
  return items;
}

interface TupleOptions {
  mayBeEmpty?: boolean;
  /** A name that ends the tuple, such as `in` after the targets of a loop. */
  endName?: string;
}

/** One expression, or several with commas between them as a tuple. */
export function parseTuple(
  stream: TokenStream,
  parseItem: (stream: TokenStream) => Expression,
  { mayBeEmpty = false, endName }: TupleOptions = {},
): Expression {
  const items: Expression[] = [];
  let isTuple = false;
  for (;;) {
    if (items.length > 0) stream.expect('operator', ',');
    if (stream.is('end') || stream.isOperator(')')) break;
    if (endName !== undefined && stream.isName(endName)) break;
    items.push(parseItem(stream));
    if (!stream.isOperator(',')) break;
    isTuple = true;
  }
  if (isTuple) return { kind: 'tuple', items };
  const [item] = items as (Expression | undefined)[];
  if (item) return item;
  return mayBeEmpty ? { kind: 'tuple', items } : stream.fail('a value');
}

/** Where `set`, `for` and `with` put a value. */
export function parseTarget(stream: TokenStream, endName?: string): Target {
  return asTarget(
    parseTuple(stream, parseTargetItem, endName === undefined ? {} : { endName }),
    stream,
  );
}

function parseTargetItem(stream: TokenStream): Expression {
  const object = parsePrimary(stream);
  if (object.kind !== 'name' || !stream.skipIf('operator', '.')) return object;
  return { kind: 'attribute', object, name: stream.expect('name').text };
}

function asTarget(expression: Expression, stream: TokenStream): Target {
  if (expression.kind === 'name') return expression;
  if (expression.kind === 'tuple')
    return { kind: 'tuple', items: expression.items.map((item) => asTarget(item, stream)) };
  if (expression.kind === 'attribute' && expression.object.kind === 'name')
    return { kind: 'member', namespace: expression.object.name, attribute: expression.name };
  throw new TemplateFault(`it assigns to what is no name in line ${stream.current.line}`);
}

export function parsePostfix(stream: TokenStream, node: Expression): Expression {
  for (;;) {
    if (stream.isOperator('('))
      node = { kind: 'call', callee: node, args: parseCallArguments(stream) };
    else if (stream.skipIf('operator', '.')) node = parseMember(stream, node);
    else if (stream.skipIf('operator', '[')) {
      const keys = parseItems(stream, ']', parseSubscript);
      const key: Expression = keys.length === 1 ? keys[0] : { kind: 'tuple', items: keys };
      node = { kind: 'item', object: node, key };
    } else return node;
  }
}

function parseMember(stream: TokenStream, object: Expression): Expression {
  const token = stream.next();
  if (token.kind === 'name') return { kind: 'attribute', object, name: token.text };
  if (token.kind === 'number' && typeof token.value === 'bigint')
    return { kind: 'item', object, key: { kind: 'constant', value: token.value } };
  return stream.fail('a name or a number after the dot');
}

function parseSubscript(stream: TokenStream): Expression {
  const start = stream.isOperator(':') ? null : parseExpression(stream);
  if (start && !stream.isOperator(':')) return start;
  stream.expect('operator', ':');
  const bound = (): Expression | null =>
    stream.isOperator(':', ']', ',') ? null : parseExpression(stream);
  const stop = bound();
  const step = stream.skipIf('operator', ':') ? bound() : null;
  return { kind: 'slice', start, stop, step };
}

function parseCallArguments(stream: TokenStream): CallArguments {
  const args: CallArguments = { positional: [], named: [], spread: null, namedSpread: null };
  stream.expect('operator', '(');
  parseItems(stream, ')', () => {
    if (args.namedSpread) stream.fail('the end of the arguments');
    if (stream.skipIf('operator', '**')) args.namedSpread = parseExpression(stream);
    else if (stream.isOperator('*') && !args.spread) {
      stream.next();
      args.spread = parseExpression(stream);
    } else if (stream.is('name') && stream.look().text === '=') {
      const name = stream.next().text;
      stream.next();
      args.named.push([name, parseExpression(stream)]);
    } else if (args.spread || args.named.length > 0) stream.fail('an argument with a name');
    else args.positional.push(parseExpression(stream));
  });
  return args;
}

function parseFiltersAndTests(stream: TokenStream, node: Expression): Expression {
  for (;;) {
    if (stream.isOperator('|')) node = parseFilters(stream, node);
    else if (stream.isName('is')) node = parseTest(stream, node);
    else if (stream.isOperator('('))
      node = { kind: 'call', callee: node, args: parseCallArguments(stream) };
    else return node;
  }
}

export function parseFilters(stream: TokenStream, value: Expression): Expression {
  while (stream.skipIf('operator', '|')) value = parseFilter(stream, value);
  return value;
}

/** A filter's name and arguments, without the `|` before it. */
export function parseFilter(stream: TokenStream, value: Expression | null): Expression {
  const name = parseDottedName(stream);
  const args = stream.isOperator('(') ? parseCallArguments(stream) : noCallArguments;
  return { kind: 'filter', value, name, args };
}

function parseDottedName(stream: TokenStream): string {
  let name = stream.expect('name').text;
  while (stream.skipIf('operator', '.')) name += `.${stream.expect('name').text}`;
  return name;
}

function parseTest(stream: TokenStream, value: Expression): Expression {
  stream.next();
  const isNegated = stream.skipIf('name', 'not');
  const name = parseDottedName(stream);
  const test: Expression = { kind: 'test', value, name, args: parseTestArguments(stream) };
  return isNegated ? { kind: 'not', operand: test } : test;
}

/** In parentheses, or a single value without: `is in [1, 2]`, `is divisibleby 3`. */
function parseTestArguments(stream: TokenStream): CallArguments {
  if (stream.isOperator('(')) return parseCallArguments(stream);
  const begins = stream.is('name') || stream.is('string') || stream.is('number');
  if (!begins && !stream.isOperator('[', '{')) return noCallArguments;
  if (stream.isName('else', 'or', 'and')) return noCallArguments;
  if (stream.isName('is')) stream.fail('another test after the first: join the two with "and"');
  return { ...noCallArguments, positional: [parsePostfix(stream, parsePrimary(stream))] };
}
