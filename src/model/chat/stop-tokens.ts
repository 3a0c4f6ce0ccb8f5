/**
 * Which tokens end an answer: those that the model's files name, and those whose spelling says so. One rule for
 * GGUF files and Hugging Face folders. The spellings and their exceptions are those of llama.cpp,
 * `src/llama-vocab.cpp`, `special_eog_ids`.
 */

/** A token and its spelling. */
export interface Word {
  id: number;
  content: string;
}

export interface NamedStops {
  /** Ids that the files name as end of a text, of a turn or of a message. */
  ids: readonly number[];
  /** Spellings that the files name, such as `eos_token` of `tokenizer_config.json`. */
  spellings?: readonly string[];
  /** Ids of the tokens for padding, repository and file that infilling has, where the files name them. */
  infilling?: Partial<Record<keyof typeof infillingSpellings, number | undefined>>;
}

const endSpellings: ReadonlySet<string> = new Set([
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<|flush|>',
  '<|calls|>',
  '<end_of_turn>',
  '<|endoftext|>',
  '</s>',
  '<|eom_id|>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '[EOS]',
  '<|end_of_text|>',
  '<end_of_utterance>',
  '<eos>',
  '<turn|>',
  '<|tool_response>',
  '<｜end▁of▁sentence｜>',
  '[e~[',
]);

/** Of each kind one token counts: the one that the files name, else the first that is there. */
const infillingSpellings = {
  padding: ['<|fim_pad|>', '<fim-pad>', '<fim_pad>', '<PAD>', '[PAD]'],
  repository: ['<|fim_repo|>', '<|repo_name|>', '<fim-repo>', '<REPO>', '<reponame>'],
  file: ['<|file_sep|>'],
};

/**
 * @param words the tokens that may be spelt so: a GGUF file's whole vocabulary, a folder's added tokens
 * @returns ids, those that the files name first
 */
export function stopTokensOf(named: NamedStops, words: readonly Word[]): number[] {
  const ids = new Map<string, number>();
  for (const { id, content } of words) if (!ids.has(content)) ids.set(content, id);
  const idsOf = (spellings: Iterable<string>): number[] =>
    Array.from(spellings).flatMap((spelling) => ids.get(spelling) ?? []);
  const stops = new Set([
    ...named.ids,
    ...idsOf(named.spellings ?? []),
    ...words.flatMap(({ id, content }) => (endSpellings.has(content) ? [id] : [])),
    ...infillingStops(named, idsOf),
  ]);
  for (const spelling of exceptions(new Set(wordsAmong(words, stops))))
    for (const id of idsOf([spelling])) stops.delete(id);
  return [...stops];
}

function infillingStops(
  { infilling = {} }: NamedStops,
  idsOf: (spellings: Iterable<string>) => number[],
): number[] {
  return (['padding', 'repository', 'file'] as const).flatMap((kind) => {
    const id = infilling[kind] ?? idsOf(infillingSpellings[kind]).at(0);
    return id ?? [];
  });
}

function wordsAmong(words: readonly Word[], ids: ReadonlySet<number>): string[] {
  return words.flatMap(({ id, content }) => (ids.has(id) ? [content] : []));
}

/** Spellings that end no answer beside certain others. */
function exceptions(spelt: ReadonlySet<string>): string[] {
  const calls = spelt.has('<|call|>') || spelt.has('<|calls|>');
  const hasChannels = calls && (spelt.has('<|return|>') || spelt.has('<|flush|>'));
  return [
    // In these models it ends one of several parts of an answer.
    ...(hasChannels ? ['<|end|>'] : []),
    ...(spelt.has('<|tool_response>') ? ['</s>'] : []),
  ];
}

/** Whether a token's spelling alone makes it a control token, whatever its file says of its type. */
export function isSpeltAsControl(spelling: string): boolean {
  return endSpellings.has(spelling) || Object.values(infillingSpellings).flat().includes(spelling);
}
