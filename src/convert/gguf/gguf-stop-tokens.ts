/** Which tokens of a GGUF file end an answer, which are control tokens, and what its template's tokens are. */
import { isSpeltAsControl, stopTokensOf, type Word } from '../../model/chat/stop-tokens.ts';
import type { ManifestSpecialTokens } from '../../model/manifest.ts';
import { addedToken } from '../tokenizers/added-token.ts';
import type { Metadata } from './gguf-metadata.ts';

/** @returns ids, those that the metadata names first. Source: llama.cpp, `special_eog_ids`. */
export function stopTokens(metadata: Metadata): number[] {
  const words = wordsOf(metadata);
  // A file without a vocabulary is believed; else an id beyond it names nothing.
  const idOf = (name: string): number | undefined => {
    const id = metadata.number(`tokenizer.ggml.${name}_token_id`);
    return id !== undefined && words.length > 0 && id >= words.length ? undefined : id;
  };
  const ids = ['eos', 'eot', 'eom'].flatMap((name) => idOf(name) ?? []);
  const infilling = {
    padding: idOf('fim_pad'),
    repository: idOf('fim_rep'),
    file: idOf('fim_sep'),
  };
  return stopTokensOf({ ids, infilling }, words);
}

/** What `bos_token` and its kin are in the file's chat template. */
export function ggufSpecialTokens(metadata: Metadata): ManifestSpecialTokens {
  const tokens = metadata.texts('tokenizer.ggml.tokens') ?? [];
  const spelling = (name: string): string | null => {
    const id = metadata.number(`tokenizer.ggml.${name}_token_id`);
    // From the end `at` would count a negative id, which names no token.
    return (id === undefined || id < 0 ? undefined : tokens.at(id)) ?? null;
  };
  return {
    bos_token: spelling('bos'),
    eos_token: spelling('eos'),
    unk_token: spelling('unknown'),
    pad_token: spelling('padding'),
    sep_token: spelling('seperator'),
    mask_token: spelling('mask'),
  };
}

/**
 * The tokenizer with every token that ends an answer, or is spelt like one, as a special one: a file may call
 * such a token an ordinary piece. Llama.cpp overrides its type too.
 *
 * @param tokenizer a `tokenizer.json` that was built from the same metadata
 */
export function withControlTokens(
  tokenizer: Record<string, unknown>,
  metadata: Metadata,
): Record<string, unknown> {
  const added = tokenizer['added_tokens'];
  if (!Array.isArray(added)) return tokenizer;
  const words = wordsOf(metadata);
  const stops = new Set(stopTokens(metadata));
  const ends = words.filter(({ id, content }) => stops.has(id) || isSpeltAsControl(content));
  const known = new Map(
    (added as { id: number; special: boolean }[]).map((token) => [token.id, token]),
  );
  for (const { id, content } of ends)
    known.set(id, { ...addedToken(id, content, true), ...known.get(id), id, special: true });
  return { ...tokenizer, added_tokens: [...known.values()].sort((a, b) => a.id - b.id) };
}

function wordsOf(metadata: Metadata): Word[] {
  return (metadata.texts('tokenizer.ggml.tokens') ?? []).map((content, id) => ({ id, content }));
}
