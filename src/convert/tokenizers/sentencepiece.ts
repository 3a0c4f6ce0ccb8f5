/**
 * Builds a Hugging Face `tokenizer.json`, as for Llama 2, from a SentencePiece vocabulary: pieces with
 * scores, spaces written as ▁, unknown characters as bytes.
 */

export interface SentencePiece {
  text: string;
  /** Merges into pieces of higher scores come first. */
  score: number;
  /**
   * `byte` pieces are written `<0xNN>`; `control` pieces stand for no text; `added` pieces are whole words
   * that are matched before any merging.
   */
  kind: 'normal' | 'byte' | 'control' | 'unknown' | 'added';
}

export interface SentencePieceOptions {
  bosId: number | null;
  /** Encoding prepends a space, which decoding removes (as in Llama 2). */
  prefixSpace: boolean;
}

/** @param pieces in the order of their ids */
export function sentencePieceTokenizer(
  pieces: readonly SentencePiece[],
  { bosId, prefixSpace }: SentencePieceOptions,
): Record<string, unknown> {
  const vocab = Object.fromEntries(pieces.map(({ text }, id) => [text, id]));
  const bos = bosId === null ? undefined : pieces[bosId];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: pieces.flatMap(({ text, kind }, id) =>
      kind === 'normal' || kind === 'byte' ? [] : [addedToken(id, text, kind !== 'added')],
    ),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(prefixSpace ? [{ type: 'Prepend', prepend: '▁' }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: bos && bosId !== null ? startWith(bos.text, bosId) : null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: pieces.find(({ kind }) => kind === 'unknown')?.text ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab,
      merges: mergesOf(pieces),
    },
  };
}

export function addedToken(id: number, content: string, special: boolean): Record<string, unknown> {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
  };
}

/** A post-processor that puts one token before every text. */
export function startWith(token: string, id: number): Record<string, unknown> {
  const first = { SpecialToken: { id: token, type_id: 0 } };
  const text = { Sequence: { id: 'A', type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [first, text],
    pair: [
      first,
      text,
      { SpecialToken: { id: token, type_id: 1 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/**
 * Every way to merge two pieces into a third, best score first. Of the ways to one piece, the longest left
 * part comes first. This is the order of Hugging Face's own conversion.
 */
function mergesOf(pieces: readonly SentencePiece[]): [string, string][] {
  const mergeable = new Set(pieces.filter(({ kind }) => kind === 'normal').map(({ text }) => text));
  const merges: { left: string; right: string; score: number }[] = [];
  for (const { text, score, kind } of pieces) {
    if (kind !== 'normal') continue;
    const characters = Array.from(text);
    for (let cut = 1; cut < characters.length; cut++) {
      const left = characters.slice(0, cut).join('');
      const right = characters.slice(cut).join('');
      if (mergeable.has(left) && mergeable.has(right)) merges.push({ left, right, score });
    }
  }
  merges.sort(
    (a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length,
  );
  return merges.map(({ left, right }) => [left, right]);
}
