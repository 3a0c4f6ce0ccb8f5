/**
 * Which tokens are control marks: they begin or end turns, or steer the model in another way, and a person's
 * text can never write them. They are the special tokens, and every added token that the chat template writes.
 */
import { parseTemplate } from '../jinja/parse/parse-template.ts';
import { namesIn, partsOf, walk } from '../jinja/parse/names.ts';
import { createSectionFinder } from '../text/tokenizer/added-tokens.ts';
import type { Expression, Statement } from '../jinja/parse/syntax.ts';

export interface AddedWord {
  content: string;
  special: boolean;
}

/**
 * Spellings of the control marks among a tokenizer's added tokens, in their order. White space alone is never a
 * mark: it forges nothing, and every text has it.
 *
 * @param template null for a model without one. One that cannot be read writes nothing.
 */
export function controlMarksOf(template: string | null, added: readonly AddedWord[]): string[] {
  const written = template === null ? () => false : writtenBy(template, added);
  return [
    ...new Set(
      added.flatMap(({ content, special }) =>
        special || (content.trim() !== '' && written(content)) ? [content] : [],
      ),
    ),
  ];
}

/** Marks that the template looks for in a message, such as `</think>` in an earlier answer. */
export function marksLookedFor(
  statements: readonly Statement[],
  marks: Iterable<string>,
): string[] {
  const constants = new Set<string>();
  walk(statements, {
    onExpression(expression) {
      const text = constantText(expression);
      if (text !== null) constants.add(text);
    },
  });
  return [...marks].filter((mark) => constants.has(mark));
}

function writtenBy(template: string, added: readonly AddedWord[]): (spelling: string) => boolean {
  const lines = linesOf(template);
  const find = finderOf(added);
  const whole = new Set(lines.flatMap((line) => line.flatMap((part) => find(part ?? ''))));
  const gaps = gapsIn(lines);
  return (spelling) => whole.has(spelling) || gaps.some((gap) => spans(gap, spelling));
}

/** What a part of a template writes one after the other; null for what is not known before it runs. */
type Line = (string | null)[];

function linesOf(template: string): Line[] {
  try {
    return linesIn(parseTemplate(template));
  } catch {
    // A template that cannot be read refuses every conversation.
    return [];
  }
}

function linesIn(statements: readonly Statement[]): Line[] {
  const constants = constantsSetIn(statements);
  const lines: Line[] = [];
  const bodies: (readonly Statement[])[] = [statements];
  for (let body = bodies.pop(); body; body = bodies.pop()) {
    const line: Line = [];
    for (const statement of body) {
      if (statement.kind === 'text') line.push(statement.text);
      else if (statement.kind === 'print')
        for (const value of statement.values) line.push(...partsWritten(value, constants));
      else if (statement.kind !== 'set') line.push(null);
      bodies.push(...bodiesOf(statement));
    }
    lines.push(joined(line));
  }
  // Expressions by themselves too: what is set to a name, given to a macro or chosen by a condition.
  walk(statements, {
    onWhole(expression) {
      const rest = [expression];
      for (let next = rest.pop(); next; next = rest.pop()) {
        const pieces = piecesOf(next);
        lines.push(joined(pieces.map((piece) => textIn(piece, constants))));
        rest.push(...pieces.flatMap(partsOf));
      }
    },
  });
  return lines;
}

function bodiesOf(statement: Statement): (readonly Statement[])[] {
  switch (statement.kind) {
    case 'if':
      return [...statement.branches.map(({ body }) => body), statement.otherwise];
    case 'for':
      return [statement.body, statement.otherwise];
    case 'set-block':
    case 'with':
    case 'filter-block':
    case 'macro':
    case 'scope':
      return [statement.body];
    case 'call-block':
      return [statement.caller.body];
    case 'text':
    case 'print':
    case 'set':
    case 'break':
    case 'continue':
      return [];
  }
}

/** Names that are set to one text, and to nothing else: no loop and no macro gives them another. */
function constantsSetIn(statements: readonly Statement[]): ReadonlyMap<string, string> {
  const set = new Map<string, string | null>();
  walk(statements, {
    onSet(target, value) {
      const text = target.kind === 'name' ? constantText(value) : null;
      for (const name of namesIn(target)) {
        const before = set.get(name);
        set.set(name, before === undefined || before === text ? text : null);
      }
    },
  });
  return new Map(
    [...set].flatMap(([name, text]) => (text === null ? [] : [[name, text] as const])),
  );
}

function partsWritten(expression: Expression, constants: ReadonlyMap<string, string>): Line {
  return piecesOf(expression).map((piece) => textIn(piece, constants));
}

/** What `~` and `+` join, from left to right. */
function piecesOf(expression: Expression): Expression[] {
  if (expression.kind === 'concat') return expression.parts.flatMap(piecesOf);
  if (expression.kind !== 'arithmetic' || expression.operator !== '+') return [expression];
  return [...piecesOf(expression.left), ...piecesOf(expression.right)];
}

function textIn(piece: Expression, constants: ReadonlyMap<string, string>): string | null {
  if (piece.kind === 'name') return constants.get(piece.name) ?? null;
  return constantText(piece);
}

function constantText(expression: Expression | null): string | null {
  if (expression?.kind !== 'constant') return null;
  return typeof expression.value === 'string' ? expression.value : null;
}

/** Texts that follow each other as one text. */
function joined(line: Line): Line {
  const parts: Line = [];
  for (const part of line) {
    const last = parts.at(-1);
    if (typeof last === 'string' && part !== null) parts[parts.length - 1] = last + part;
    else if (part !== null || last !== null) parts.push(part);
  }
  return parts;
}

/** Known texts on both sides of an unknown one, such as `<|` and `|>` around a role. */
interface Gap {
  before: string;
  after: string;
}

/** No token is longer. */
const longestSpelling = 256;
/** Templates have a few dozen; more would only take time. */
const mostGaps = 1000;

function gapsIn(lines: readonly Line[]): Gap[] {
  const gaps = new Map<string, Gap>();
  for (const line of lines)
    for (const [i, part] of line.entries()) {
      const [before, after] = [line[i - 1] ?? '', line[i + 1] ?? ''];
      if (part !== null || before === '' || after === '' || gaps.size === mostGaps) continue;
      const gap = {
        before: before.slice(-longestSpelling),
        after: after.slice(0, longestSpelling),
      };
      gaps.set(JSON.stringify(gap), gap);
    }
  return [...gaps.values()];
}

/** Whether the spelling begins with the end of the text before and ends with the beginning of that after. */
function spans({ before, after }: Gap, spelling: string): boolean {
  // Most spellings end here: they lack one of the two characters at the gap.
  if (!spelling.includes(before[before.length - 1]) || !spelling.includes(after[0])) return false;
  for (let start = 1; start < spelling.length; start++) {
    if (!before.endsWith(spelling.slice(0, start))) continue;
    for (let end = spelling.length - 1; end > start; end--)
      if (after.startsWith(spelling.slice(end))) return true;
  }
  return false;
}

/** Finds the added tokens in a text as a tokenizer does. */
function finderOf(added: readonly AddedWord[]): (text: string) => string[] {
  const contents = added.map(({ content }) => content);
  const find = createSectionFinder(
    contents.map((content, id) => ({
      id,
      content,
      isSingleWord: false,
      stripsLeft: false,
      stripsRight: false,
      isMark: false,
    })),
  );
  return (text) =>
    find(text, () => false).flatMap((section) =>
      section.kind === 'token' ? [contents[section.id]] : [],
    );
}
