/** Builds a Hugging Face `tokenizer.json` from the vocabulary in a GGUF file's metadata. */
import type { Metadata } from './gguf-metadata.ts';
import {
  addedToken,
  sentencePieceTokenizer,
  startWith,
  type SentencePiece,
} from '../tokenizers/sentencepiece.ts';

/** Numbers of `llama_token_type`. */
const tokenKinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };

/**
 * @returns null for a file without a vocabulary
 * @throws Error that names the kind of tokenizer that cannot be built
 */
export function ggufTokenizer(metadata: Metadata, path: string): Record<string, unknown> | null {
  const tokens = metadata.texts('tokenizer.ggml.tokens');
  if (!tokens) return null;
  const model = metadata.text('tokenizer.ggml.model') ?? '';
  const kinds =
    metadata.numbers('tokenizer.ggml.token_type') ?? tokens.map(() => tokenKinds.normal);
  if (kinds.length !== tokens.length)
    throw new Error(
      `${path}: there are ${kinds.length} token types for a vocabulary of ${tokens.length}`,
    );
  switch (model) {
    case 'llama':
      return sentencePieces(metadata, tokens, kinds, path);
    case 'gpt2':
      return byteLevel(metadata, tokens, kinds, path);
    default:
      throw new Error(
        `${path}: its tokenizer is of the kind "${model}", which cannot be built; ` +
          'llama (SentencePiece) and gpt2 (byte-level BPE) can',
      );
  }
}

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
  const pieces = tokens.map((text, id): SentencePiece => ({
    text,
    score: scores[id],
    kind: pieceKind(kinds[id]),
  }));
  return sentencePieceTokenizer(pieces, {
    bosId: (metadata.flag('tokenizer.ggml.add_bos_token') ?? true) ? bosOf(metadata, tokens) : null,
    prefixSpace: metadata.flag('tokenizer.ggml.add_space_prefix') ?? true,
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

function bosOf(metadata: Metadata, tokens: string[]): number | null {
  const id = metadata.number('tokenizer.ggml.bos_token_id');
  return id !== undefined && id < tokens.length ? id : null;
}

function byteLevel(
  metadata: Metadata,
  tokens: string[],
  kinds: number[],
  path: string,
): Record<string, unknown> {
  const merges = metadata.texts('tokenizer.ggml.merges');
  if (!merges) throw new Error(`${path}: its byte-level tokenizer has no merges`);
  const name = metadata.text('tokenizer.ggml.pre') ?? 'default';
  const pre = preTokenizers[name];
  if (!pre)
    throw new Error(
      `${path}: it cuts text by the rule "${name}", which is not known here; known are ` +
        Object.keys(preTokenizers).join(', '),
    );
  const bosId = bosOf(metadata, tokens);
  const beginsWithBos = metadata.flag('tokenizer.ggml.add_bos_token') ?? pre.addsBos;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((text, id) =>
      kinds[id] === tokenKinds.control || kinds[id] === tokenKinds.userDefined
        ? [addedToken(id, text, kinds[id] === tokenKinds.control)]
        : [],
    ),
    normalizer: pre.normalizer,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...pre.splits, bytes(pre.cutsAsGpt2)] },
    post_processor:
      beginsWithBos && bosId !== null ? startWith(tokens[bosId], bosId) : bytes(false),
    decoder: bytes(true),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoresMerges,
      vocab: Object.fromEntries(tokens.map((text, id) => [text, id])),
      merges: merges.map((merge) => merge.split(' ', 2)),
    },
  };
}

/** GPT-2's byte-to-letter table; with `use_regex` also its rule for splitting words. */
function bytes(useRegex: boolean): Record<string, unknown> {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
}

function split(regex: string): Record<string, unknown> {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
}

/** How a family of models splits text before merging, as its own `tokenizer.json` says. */
interface PreTokenizer {
  normalizer: Record<string, unknown> | null;
  splits: Record<string, unknown>[];
  /** Whether words are then split by GPT-2's rule. */
  cutsAsGpt2: boolean;
  /** A piece that is itself a token stays whole, whatever the merges say. */
  ignoresMerges: boolean;
  /** Whether texts begin with the BOS token, if the file does not say. */
  addsBos: boolean;
}

const gpt2: PreTokenizer = {
  normalizer: null,
  splits: [],
  cutsAsGpt2: true,
  ignoresMerges: false,
  addsBos: false,
};

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const rest = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const llama3: PreTokenizer = {
  normalizer: null,
  splits: [split(`${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${rest}`)],
  cutsAsGpt2: false,
  ignoresMerges: true,
  addsBos: true,
};

const qwen2: PreTokenizer = {
  normalizer: { type: 'NFC' },
  splits: [split(`${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${rest}`)],
  cutsAsGpt2: false,
  ignoresMerges: false,
  addsBos: false,
};

const smollm: PreTokenizer = {
  ...gpt2,
  splits: [{ type: 'Digits', individual_digits: true }],
};

/** By the names in `tokenizer.ggml.pre`. */
const preTokenizers: Partial<Record<string, PreTokenizer>> = {
  default: gpt2,
  'gpt-2': gpt2,
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  qwen2,
  smollm,
};
