/** What the comments above a schema, its messages and their fields say. */
import ts from 'typescript';
import type { Declaration, SourceIndex } from './source-index.ts';

export interface Comments {
  /** Empty where there is no comment. */
  text: string;
  /** Of an object. */
  fields: ReadonlyMap<string, Comments>;
  /** Of a variant, by `kind`. */
  kinds: ReadonlyMap<string, Comments>;
}

const noFields: ReadonlyMap<string, Comments> = new Map();

export const noComments: Comments = { text: '', fields: noFields, kinds: noFields };

/** Follows names to where they are declared, in whichever file of the index. */
export function commentsOf(index: SourceIndex, name: string): Comments {
  return read(index.find(name));

  function read({ node, file }: Declaration): Comments {
    if (ts.isFunctionDeclaration(node) || !node.initializer) return noComments;
    const below = ofExpression(node.initializer, file);
    const own = textAbove(node.parent.parent);
    return { ...below, text: own === '' ? below.text : own };
  }

  function ofExpression(expression: ts.Expression, file: string): Comments {
    if (ts.isIdentifier(expression)) return read(index.find(expression.text, file));
    if (!ts.isCallExpression(expression)) return noComments;
    const called = ts.isPropertyAccessExpression(expression.expression)
      ? expression.expression.name.text
      : '';
    const [first, second] = expression.arguments;
    if ((called === 'object' || called === 'strictObject') && ts.isObjectLiteralExpression(first))
      return { ...noComments, fields: fieldsOf(first, file) };
    if (called === 'variant' && ts.isArrayLiteralExpression(second))
      return { ...noComments, kinds: kindsOf(second, file) };
    // What wraps another schema has it as its first argument.
    return expression.arguments.length > 0 ? ofExpression(first, file) : noComments;
  }

  function fieldsOf(literal: ts.ObjectLiteralExpression, file: string): Map<string, Comments> {
    const fields = new Map<string, Comments>();
    for (const property of literal.properties) {
      if (ts.isSpreadAssignment(property)) {
        for (const field of spreadFields(property.expression, file)) fields.set(...field);
        continue;
      }
      const below = ts.isPropertyAssignment(property)
        ? ofExpression(property.initializer, file)
        : read(index.find(property.name.getText(), file));
      const own = textAbove(property);
      fields.set(property.name.getText(), { ...below, text: own === '' ? below.text : own });
    }
    return fields;
  }

  function spreadFields(expression: ts.Expression, file: string): ReadonlyMap<string, Comments> {
    if (!ts.isIdentifier(expression)) return noFields;
    const { node, file: declaredIn } = index.find(expression.text, file);
    const value = ts.isVariableDeclaration(node) ? node.initializer : undefined;
    return value && ts.isObjectLiteralExpression(value) ? fieldsOf(value, declaredIn) : noFields;
  }

  function kindsOf(options: ts.ArrayLiteralExpression, file: string): Map<string, Comments> {
    return new Map(
      options.elements.map((option) => {
        const below = ofExpression(option, file);
        const own = textAbove(option);
        return [kindOf(option, file), { ...below, text: own === '' ? below.text : own }];
      }),
    );
  }

  function kindOf(option: ts.Expression, file: string): string {
    const declared = ts.isIdentifier(option) ? index.find(option.text, file).node : undefined;
    const literal = (declared ?? option).getText().match(/kind: v\.literal\('([^']+)'\)/);
    if (!literal) throw new Error(`An option of ${name} has no kind: ${option.getText()}`);
    return literal[1];
  }
}

/** The comment at the head of the file in which that name is declared, its lines as they are. */
export function headOf({ source }: Declaration): string {
  const [head] = ts.getLeadingCommentRanges(source.text, 0) ?? [];
  return linesOf(source.text.slice(head.pos, head.end)).join('\n').trim();
}

function textAbove(node: ts.Node): string {
  const { text } = node.getSourceFile();
  const ranges = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [];
  const comment = ranges.map(({ pos, end }) => text.slice(pos, end)).at(-1) ?? '';
  return comment.startsWith('/**') ? linesOf(comment).join(' ').replace(/\s+/g, ' ').trim() : '';
}

function linesOf(comment: string): string[] {
  return comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
}
