/** Builds a Hugging Face `tokenizer.json` from the vocabulary in a GGUF file's metadata. */
import { addedToken, type AddedTokenFlags } from '../tokenizers/added-token.ts';
import { byteLevelTokenizer } from '../tokenizers/byte-level.ts';
import { commonPreTokenizerNames, preTokenizerNamed } from '../tokenizers/pre-tokenizer-names.ts';
import { sentencePieceTokenizer, type SentencePiece } from '../tokenizers/sentencepiece.ts';
import type { Metadata } from './gguf-metadata.ts';

/** What a GGUF file says of its tokenizer. Null where it says nothing. */
export interface GgufTokenizerFacts {
  /** `tokenizer.ggml.model`: `llama` is SentencePiece, `gpt2` byte-level BPE. */
  kind: string | null;
  /** `tokenizer.ggml.pre`: the rule by which a byte-level tokenizer cuts text. */
  pre: string | null;
  bosId: number | null;
  /** Whether texts begin with that token, said by the file or by its kind and rule. */
  addsBos: boolean;
}

/** Numbers of `llama_token_type`. */
const tokenKinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };

/** Never fails on an unknown kind or rule. */
export function ggufTokenizerFacts(metadata: Metadata): GgufTokenizerFacts {
  const kind = metadata.text('tokenizer.ggml.model') ?? null;
  const pre = metadata.text('tokenizer.ggml.pre') ?? null;
  const vocabulary = metadata.texts('tokenizer.ggml.tokens')?.length ?? 0;
  const stated = metadata.number('tokenizer.ggml.bos_token_id');
  // llama.cpp takes 1 where a SentencePiece vocabulary names none, or one that it does not have.
  const isThere = stated !== undefined && stated >= 0 && stated < vocabulary;
  const known = isThere ? stated : kind === 'llama' ? 1 : null;
  const bosId = known !== null && known < vocabulary ? known : null;
  const byKind = kind === 'llama' || (kind === 'gpt2' && preTokenizerNamed(pre ?? '')?.addsBos);
  const addsBos = metadata.flag('tokenizer.ggml.add_bos_token') ?? byKind === true;
  return { kind, pre, bosId, addsBos: addsBos && bosId !== null };
}

/**
 * @returns null for a file without a vocabulary
 * @throws Error that names the kind of tokenizer that cannot be built
 */
export function ggufTokenizer(metadata: Metadata, path: string): Record<string, unknown> | null {
  const tokens = metadata.texts('tokenizer.ggml.tokens');
  const { kind } = ggufTokenizerFacts(metadata);
  if (!tokens || kind === 'none' || kind === 'no_vocab') return null;
  const kinds = kindsOf(metadata, tokens, path);
  switch (kind) {
    case 'llama':
      return sentencePieces(metadata, tokens, kinds, path);
    case 'gpt2':
      return byteLevel(metadata, tokens, kinds, path);
    default:
      throw new Error(
        `${path}: its tokenizer is of the kind "${kind ?? ''}", which cannot be built; ` +
          'llama (SentencePiece) and gpt2 (byte-level BPE) can',
      );
  }
}

function kindsOf(metadata: Metadata, tokens: readonly string[], path: string): number[] {
  const kinds =
    metadata.numbers('tokenizer.ggml.token_type') ?? tokens.map(() => tokenKinds.normal);
  if (kinds.length !== tokens.length)
    throw new Error(
      `${path}: there are ${kinds.length} token types for a vocabulary of ${tokens.length}`,
    );
  return tokens.map((text, id) => (alwaysControl.has(text) ? tokenKinds.control : kinds[id]));
}

/**
 * Spellings that llama.cpp takes for control tokens, whatever type the file gives them. Source: the search for
 * special tokens by text in `llama_vocab::impl::load`, llama.cpp's `src/llama-vocab.cpp`.
 */
const alwaysControl: ReadonlySet<string> = new Set(
  (
    '<|eot_id|> <|im_end|> <|end|> <end_of_turn> <|endoftext|> <|end_of_text|> <|eom_id|> <EOT> _<EOT> ' +
    '<｜end▁of▁sentence｜> <end_of_utterance> <|return|> <|call|> <|flush|> <|calls|> </s>'
  ).split(' '),
);

function sentencePieces(
  metadata: Metadata,
  tokens: string[],
  kinds: number[],
  path: string,
): Record<string, unknown> {
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores?.length !== tokens.length)
    throw new Error(
      `${path}: there are ${scores?.length ?? 0} scores for a vocabulary of ${tokens.length}`,
    );
  const flags = isPhi3(metadata) ? phi3Flags : () => ({});
  const pieces = tokens.map((text, id): SentencePiece => ({
    text,
    score: scores[id],
    kind: pieceKind(kinds[id]),
    flags: flags(text),
  }));
  const { bosId, addsBos } = ggufTokenizerFacts(metadata);
  return sentencePieceTokenizer(pieces, {
    bosId: addsBos ? bosId : null,
    prefixSpace:
      (metadata.flag('tokenizer.ggml.add_space_prefix') ?? true) ? 'each section' : 'never',
  });
}

function pieceKind(kind: number): SentencePiece['kind'] {
  switch (kind) {
    case tokenKinds.unknown:
      return 'unknown';
    case tokenKinds.control:
      return 'control';
    case tokenKinds.userDefined:
      return 'added';
    case tokenKinds.byte:
      return 'byte';
    default:
      return 'normal';
  }
}

/** llama.cpp goes by the name, which misses Phi-3.5 and renamed ones. */
function isPhi3(metadata: Metadata): boolean {
  const name = metadata.text('general.name')?.toLowerCase() ?? '';
  return metadata.text('general.architecture') === 'phi3' || /phi-?3/.test(name);
}

/**
 * A GGUF file does not say which tokens take in the white space behind them. Phi-3's do, as its own
 * `tokenizer.json` says. Source: the attributes by model name in llama.cpp's `src/llama-vocab.cpp`.
 */
function phi3Flags(text: string): AddedTokenFlags {
  return { rstrip: !['<unk>', '<s>', '<|endoftext|>'].includes(text) };
}

function byteLevel(
  metadata: Metadata,
  tokens: string[],
  kinds: number[],
  path: string,
): Record<string, unknown> {
  const { pre, bosId, addsBos } = ggufTokenizerFacts(metadata);
  const named = preTokenizerNamed(pre ?? '');
  if (!named)
    throw new Error(
      `${path}: it cuts text by the rule "${(pre ?? '').slice(0, 60)}", which is not known here; known are ` +
        `${commonPreTokenizerNames().join(', ')} and other names of these`,
    );
  const { control, userDefined, unknown } = tokenKinds;
  const added = tokens.flatMap((text, id) =>
    text !== '' && [control, userDefined, unknown].includes(kinds[id])
      ? [addedToken(id, text, kinds[id] !== userDefined)]
      : [],
  );
  const merges = mergesOf(metadata, path);
  return byteLevelTokenizer({ tokens, merges, added, bosId: addsBos ? bosId : null }, named);
}

function mergesOf(metadata: Metadata, path: string): [string, string][] {
  const merges = metadata.texts('tokenizer.ggml.merges');
  if (!merges) throw new Error(`${path}: its byte-level tokenizer has no merges`);
  return merges.map((merge, at) => {
    // A piece may itself begin with a space.
    const space = merge.indexOf(' ', 1);
    if (space < 0 || space === merge.length - 1)
      throw new Error(`${path}: merge ${at} of its tokenizer is "${merge}", and not two pieces`);
    return [merge.slice(0, space), merge.slice(space + 1)];
  });
}
