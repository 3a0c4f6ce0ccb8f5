/**
 * Keeps what people wrote apart from what a template writes. A private-use character, the mask, goes into a
 * person's text; a tokenizer takes it out again and reads no control mark that has it inside.
 */
import { stripEnd, stripStart } from '../jinja/text/whitespace.ts';

export interface RoleText {
  role: string;
  content: string;
}

/** Texts do not contain it. */
export const mask = '\u{10FFFD}';

export function withoutMask(text: string): string {
  return text.replaceAll(mask, '');
}

export interface MarksOfTemplate {
  /** Spellings that a person must not write. */
  marks: readonly string[];
  /** Those of them that the template itself looks for in earlier answers. */
  lookedFor: readonly string[];
}

/**
 * Renders a conversation with masks inside every mark that a message spells, and around each message, so that
 * a mark cannot be made of its end and the template's beginning either.
 *
 * A template may look into a message. An earlier answer may hold `</think>` for it to find; such a mark is
 * left as it is where the template would otherwise write something else. Masks around a message are left out
 * where they would change what the template writes.
 */
export function renderMasked<Message extends RoleText>(
  render: (messages: Message[]) => string,
  messages: readonly Message[],
  { marks, lookedFor }: MarksOfTemplate,
): string {
  const rewrite = (change: (message: Message) => string): Message[] =>
    messages.map((message) => ({ ...message, content: change(message) }));
  const all = byFirstCharacter(marks);
  let safe = rewrite(({ content }) => splitMarks(content, all));
  let text = render(safe);

  const isRead = ({ role, content }: Message): boolean =>
    role === 'assistant' && lookedFor.some((spelling) => content.includes(spelling));
  if (messages.some(isRead)) {
    const rest = byFirstCharacter(marks.filter((spelling) => !lookedFor.includes(spelling)));
    const lenient = rewrite((message) => splitMarks(message.content, isRead(message) ? rest : all));
    const plain = rewrite((message) =>
      isRead(message) ? withoutMask(message.content) : splitMarks(message.content, all),
    );
    const [read, meant] = [render(lenient), withoutMask(render(plain))];
    if (withoutMask(text) !== meant && withoutMask(read) === meant) [safe, text] = [lenient, read];
  }
  const framed = renderFramed(render, safe);
  return framed !== null && withoutMask(framed) === withoutMask(text) ? framed : text;
}

/** Null where the template does not take the conversation with masks around its messages. */
function renderFramed<Message extends RoleText>(
  render: (messages: Message[]) => string,
  messages: readonly Message[],
): string | null {
  try {
    return render(messages.map((message) => ({ ...message, content: framed(message.content) })));
  } catch {
    return null;
  }
}

/** The text with a mask after the first character of every mark in it, marks inside of others included. */
function splitMarks(content: string, marks: ReadonlyMap<string, readonly string[]>): string {
  const plain = withoutMask(content);
  let split = '';
  let at = 0;
  // By code points, so that no mask comes between the halves of one.
  for (const character of plain) {
    const from = at;
    const begins = marks.get(character)?.some((spelling) => plain.startsWith(spelling, from));
    split += begins === true ? character + mask : character;
    at += character.length;
  }
  return split;
}

/** Marks by their first character; a mark of one character alone has no place for a mask. */
function byFirstCharacter(marks: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const spelling of marks) {
    const [first = ''] = spelling;
    const group = groups.get(first);
    if (group) group.push(spelling);
    else groups.set(first, [spelling]);
  }
  return groups;
}

/** Masks inside of the white space at both ends, since templates trim messages. */
function framed(content: string): string {
  const rest = stripStart(content);
  const core = stripEnd(rest);
  if (core === '') return content;
  const start = content.length - rest.length;
  return content.slice(0, start) + mask + core + mask + rest.slice(core.length);
}
