/** The added tokens of a `tokenizer.json`, read from its beginning: the whole file may have 30 MB. */
import * as v from 'valibot';
import type { Word } from '../../model/chat/stop-tokens.ts';
import type { ByteSource } from '../sources/byte-source.ts';

/** The list of added tokens comes before the vocabulary, and takes much less. */
const headBytes = 1 << 20;
const maxBytes = 64 << 20;

const WordSchema = v.object({ id: v.number(), content: v.string() });
const WholeSchema = v.looseObject({
  added_tokens: v.optional(v.array(v.unknown()), []),
  model: v.optional(v.looseObject({ vocab: v.optional(v.unknown()) })),
});

/**
 * What is wrong with the file is not said here: whoever loads the tokenizer says it.
 *
 * @param spellings tokens that are looked for in the vocabulary too, where the file is small
 */
export async function readTokenizerWords(
  source: ByteSource | null,
  spellings: readonly string[],
): Promise<Word[]> {
  if (!source) return [];
  const head = await readStart(source, headBytes);
  if (source.bytes <= headBytes) return wordsOfWhole(head, spellings);
  const list = addedTokensIn(head);
  if (list !== null) return wordsIn(list);
  return source.bytes > maxBytes
    ? []
    : wordsOfWhole(await readStart(source, source.bytes), spellings);
}

async function readStart(source: ByteSource, bytes: number): Promise<string> {
  return new TextDecoder().decode(await source.read(0, Math.min(bytes, source.bytes)));
}

function wordsOfWhole(text: string, spellings: readonly string[]): Word[] {
  const checked = v.safeParse(WholeSchema, parsed(text));
  if (!checked.success) return [];
  const words = wordsIn(checked.output.added_tokens);
  const vocab = checked.output.model?.vocab;
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) return words;
  const idOf = (content: string): unknown => Object.getOwnPropertyDescriptor(vocab, content)?.value;
  return [...words, ...wordsIn(spellings.map((content) => ({ content, id: idOf(content) })))];
}

/** The list, or null where the beginning of the file does not hold all of it. */
function addedTokensIn(text: string): unknown[] | null {
  const match = /"added_tokens"\s*:\s*\[/.exec(text);
  if (!match) return null;
  const start = match.index + match[0].length - 1;
  let depth = 0;
  let isText = false;
  for (let at = start; at < text.length; at++) {
    const letter = text[at];
    if (isText && letter === '\\') at++;
    else if (letter === '"') isText = !isText;
    else if (!isText && letter === '[') depth++;
    else if (!isText && letter === ']' && --depth === 0) {
      const list = parsed(text.slice(start, at + 1));
      return Array.isArray(list) ? list : null;
    }
  }
  return null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function wordsIn(list: readonly unknown[]): Word[] {
  return list.flatMap((entry) => {
    const checked = v.safeParse(WordSchema, entry);
    return checked.success && Number.isSafeInteger(checked.output.id) ? [checked.output] : [];
  });
}
