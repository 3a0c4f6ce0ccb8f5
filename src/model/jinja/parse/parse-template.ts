/** Reads a whole template: text, `{{ … }}` and the statements in `{% … %}`. */
import { TemplateFault, UnsupportedFeature } from '../fault.ts';
import { tokenize } from './lexer.ts';
import { namesIn } from './names.ts';
import {
  parseExpression,
  parseFilter,
  parseFilters,
  parseOr,
  parseTarget,
  parseTuple,
} from './parse-expression.ts';
import type { Expression, MacroParts, Parameter, Statement } from './syntax.ts';
import { TokenStream } from './token-stream.ts';

/** @throws TemplateFault with one sentence that names the line, or the feature that is not supported */
export function parseTemplate(template: string): Statement[] {
  const stream = new TokenStream(tokenize(template));
  const statements = parseBody(stream);
  if (!stream.is('eof')) stream.fail('another statement');
  return statements;
}

/** Statements up to a tag with one of these names, which is then the current token. */
function parseBody(stream: TokenStream, ...endNames: string[]): Statement[] {
  const body: Statement[] = [];
  for (;;) {
    const token = stream.current;
    if (token.kind === 'data') {
      stream.next();
      body.push({ kind: 'text', text: token.text });
    } else if (token.kind === 'begin' && token.of === 'variable') {
      stream.next();
      body.push({ kind: 'print', values: [parseTuple(stream, parseExpression)] });
      stream.expect('end');
    } else if (token.kind === 'begin') {
      stream.next();
      if (endNames.length > 0 && stream.isName(...endNames)) return body;
      body.push(parseStatement(stream));
      stream.expect('end');
    } else if (token.kind === 'eof' && endNames.length > 0) stream.fail(endNames.join(' or '));
    else return body;
  }
}

/** The rest of a tag, then statements up to an end tag, whose name is read too. */
function parseBlock(stream: TokenStream, ...endNames: string[]): Statement[] {
  // A colon may follow, as in Python.
  stream.skipIf('operator', ':');
  stream.expect('end');
  return parseBody(stream, ...endNames);
}

function parseStatement(stream: TokenStream): Statement {
  const { text: name, line } = stream.expect('name');
  switch (name) {
    case 'if':
      return parseIf(stream);
    case 'for':
      return parseFor(stream);
    case 'set':
      return parseSet(stream);
    case 'with':
      return parseWith(stream);
    case 'macro':
      return { kind: 'macro', ...parseMacro(stream, stream.expect('name').text, 'endmacro') };
    case 'call':
      return parseCallBlock(stream);
    case 'filter':
      return parseFilterBlock(stream);
    case 'print':
      return { kind: 'print', values: parsePrint(stream) };
    case 'generation': {
      const body = parseBlock(stream, 'endgeneration');
      stream.next();
      return { kind: 'scope', body };
    }
    case 'break':
    case 'continue':
      return { kind: name };
    case 'block':
    case 'extends':
    case 'include':
    case 'import':
    case 'from':
    case 'autoescape':
      throw new UnsupportedFeature(`the statement "${name}" (line ${line})`);
    default:
      throw new TemplateFault(`there is no statement "${name}" in Jinja (line ${line})`);
  }
}

function parseIf(stream: TokenStream): Statement {
  const branches: { test: Expression; body: Statement[] }[] = [];
  for (;;) {
    const test = parseTuple(stream, parseOr);
    branches.push({ test, body: parseBlock(stream, 'elif', 'else', 'endif') });
    const { text } = stream.next();
    if (text === 'elif') continue;
    const otherwise = text === 'else' ? parseBlock(stream, 'endif') : [];
    if (text === 'else') stream.next();
    return { kind: 'if', branches, otherwise };
  }
}

function parseFor(stream: TokenStream): Statement {
  const target = parseTarget(stream, 'in');
  if (namesIn(target).includes('loop'))
    throw new TemplateFault('it assigns to the special name "loop" in a loop');
  stream.expect('name', 'in');
  const items = parseTuple(stream, parseOr, { endName: 'recursive' });
  const condition = stream.skipIf('name', 'if') ? parseExpression(stream) : null;
  const isRecursive = stream.skipIf('name', 'recursive');
  const body = parseBlock(stream, 'endfor', 'else');
  const otherwise = stream.next().text === 'else' ? parseBlock(stream, 'endfor') : null;
  if (otherwise) stream.next();
  return { kind: 'for', target, items, condition, isRecursive, body, otherwise: otherwise ?? [] };
}

function parseSet(stream: TokenStream): Statement {
  const target = parseTarget(stream);
  if (stream.skipIf('operator', '='))
    return { kind: 'set', target, value: parseTuple(stream, parseExpression) };
  let filter: Expression | null = null;
  if (stream.skipIf('operator', '|')) filter = parseFilters(stream, parseFilter(stream, null));
  const body = parseBlock(stream, 'endset');
  stream.next();
  return { kind: 'set-block', target, filter, body };
}

function parseWith(stream: TokenStream): Statement {
  const values: (Statement & { kind: 'with' })['values'] = [];
  while (!stream.is('end')) {
    if (values.length > 0) stream.expect('operator', ',');
    const target = { kind: 'name', name: stream.expect('name').text } as const;
    stream.expect('operator', '=');
    values.push([target, parseExpression(stream)]);
  }
  const body = parseBlock(stream, 'endwith');
  stream.next();
  return { kind: 'with', values, body };
}

function parseMacro(stream: TokenStream, name: string, endName: string): MacroParts {
  const parameters = parseParameters(stream);
  const body = parseBlock(stream, endName);
  stream.next();
  return { name, parameters, body };
}

function parseParameters(stream: TokenStream): Parameter[] {
  const parameters: Parameter[] = [];
  stream.expect('operator', '(');
  while (!stream.isOperator(')')) {
    if (parameters.length > 0) stream.expect('operator', ',');
    const name = stream.expect('name').text;
    const value = stream.skipIf('operator', '=') ? parseExpression(stream) : null;
    if (value === null && parameters.some((parameter) => parameter.default))
      stream.fail(`a default for "${name}", as for the parameter before it`);
    parameters.push({ name, default: value });
  }
  stream.next();
  return parameters;
}

function parseCallBlock(stream: TokenStream): Statement {
  const parameters = stream.isOperator('(') ? parseParameters(stream) : [];
  const call = parseExpression(stream);
  if (call.kind !== 'call') stream.fail('the call of a macro');
  const body = parseBlock(stream, 'endcall');
  stream.next();
  return { kind: 'call-block', call, caller: { name: 'caller', parameters, body } };
}

function parseFilterBlock(stream: TokenStream): Statement {
  const filter = parseFilters(stream, parseFilter(stream, null));
  const body = parseBlock(stream, 'endfilter');
  stream.next();
  return { kind: 'filter-block', filter, body };
}

function parsePrint(stream: TokenStream): Expression[] {
  const values: Expression[] = [];
  while (!stream.is('end')) {
    if (values.length > 0) stream.expect('operator', ',');
    values.push(parseExpression(stream));
  }
  return values;
}
