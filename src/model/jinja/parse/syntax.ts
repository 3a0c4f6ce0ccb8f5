/** The parts that a template is read into. */
import type { Value } from '../values/values.ts';

export type Expression =
  | { kind: 'constant'; value: Value }
  | { kind: 'name'; name: string }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'tuple'; items: Expression[] }
  | { kind: 'dict'; entries: [key: Expression, value: Expression][] }
  | { kind: 'attribute'; object: Expression; name: string }
  | { kind: 'item'; object: Expression; key: Expression }
  | { kind: 'slice'; start: Expression | null; stop: Expression | null; step: Expression | null }
  | { kind: 'call'; callee: Expression; args: CallArguments }
  /** `value` is null for the text of a `filter` block or of a `set` block. */
  | { kind: 'filter'; value: Expression | null; name: string; args: CallArguments }
  | { kind: 'test'; value: Expression; name: string; args: CallArguments }
  | { kind: 'negate' | 'plus' | 'not'; operand: Expression }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'arithmetic'; operator: Arithmetic; left: Expression; right: Expression }
  | { kind: 'concat'; parts: Expression[] }
  | { kind: 'compare'; first: Expression; rest: { operator: Comparison; operand: Expression }[] }
  | { kind: 'choice'; test: Expression; yes: Expression; no: Expression | null };

export type Arithmetic = '+' | '-' | '*' | '/' | '//' | '%' | '**';
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

export interface CallArguments {
  positional: Expression[];
  named: [name: string, value: Expression][];
  /** `*list` and `**dict`. */
  spread: Expression | null;
  namedSpread: Expression | null;
}

export type Target =
  | { kind: 'name'; name: string }
  | { kind: 'tuple'; items: Target[] }
  | { kind: 'member'; namespace: string; attribute: string };

export interface Parameter {
  name: string;
  default: Expression | null;
}

export interface MacroParts {
  name: string;
  parameters: Parameter[];
  body: Statement[];
}

export type Statement =
  | { kind: 'text'; text: string }
  | { kind: 'print'; values: Expression[] }
  | { kind: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[] }
  | {
      kind: 'for';
      target: Target;
      items: Expression;
      condition: Expression | null;
      isRecursive: boolean;
      body: Statement[];
      otherwise: Statement[];
    }
  | { kind: 'set'; target: Target; value: Expression }
  | { kind: 'set-block'; target: Target; filter: Expression | null; body: Statement[] }
  | { kind: 'with'; values: [target: Target, value: Expression][]; body: Statement[] }
  | { kind: 'filter-block'; filter: Expression; body: Statement[] }
  | ({ kind: 'macro' } & MacroParts)
  | { kind: 'call-block'; call: Expression; caller: MacroParts }
  /** A `generation` block of transformers: a scope of its own that writes its text. */
  | { kind: 'scope'; body: Statement[] }
  | { kind: 'break' }
  | { kind: 'continue' };
