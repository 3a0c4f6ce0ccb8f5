/** Entries of `added_tokens` in a `tokenizer.json`. */

/** What is false unless said. */
export interface AddedTokenFlags {
  single_word?: boolean;
  /** It takes in the white space before it, and after it. */
  lstrip?: boolean;
  rstrip?: boolean;
  /** It is looked for in the normalized text. */
  normalized?: boolean;
}

export interface AddedTokenEntry extends Required<AddedTokenFlags> {
  id: number;
  content: string;
  special: boolean;
}

export function addedToken(
  id: number,
  content: string,
  special: boolean,
  flags: AddedTokenFlags = {},
): AddedTokenEntry {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
    ...flags,
  };
}
