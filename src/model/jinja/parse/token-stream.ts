import { TemplateFault } from '../fault.ts';
import type { Token } from './lexer.ts';

/** The tokens of a template, and the one that is to be read next. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.look(0);
  }

  look(ahead = 1): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
  }

  next(): Token {
    const token = this.current;
    this.#at++;
    return token;
  }

  is(kind: Token['kind'], ...texts: string[]): boolean {
    const { current } = this;
    return current.kind === kind && (texts.length === 0 || texts.includes(current.text));
  }

  isOperator(...texts: string[]): boolean {
    return this.is('operator', ...texts);
  }

  isName(...texts: string[]): boolean {
    return this.is('name', ...texts);
  }

  skipIf(kind: 'name' | 'operator', text: string): boolean {
    const isIt = this.is(kind, text);
    if (isIt) this.#at++;
    return isIt;
  }

  expect(kind: Token['kind'], ...texts: string[]): Token {
    if (!this.is(kind, ...texts)) this.fail(texts.length > 0 ? texts.join(' or ') : `a ${kind}`);
    return this.next();
  }

  fail(expected: string): never {
    const { text, line } = this.current;
    throw new TemplateFault(`it has ${JSON.stringify(text)} in line ${line}, not ${expected}`);
  }
}
