/** What can be said of a model without its weights: the object that `npm run inspect -- MODEL --json` prints. */
import type { RopeScaling } from '../../model/config.ts';

/** `tokenizer`: a folder that holds a tokenizer and no model. */
export type ModelKind = 'folder' | 'gguf' | 'shards' | 'tokenizer';

export interface TokenText {
  id: number;
  /** The token's own spelling, such as `▁the` or `</s>`; null without a tokenizer that says it. */
  text: string | null;
}

/** What is not known is null. */
export interface ModelDescription {
  kind: ModelKind | null;
  /** The address that the files are relative to, with a slash at its end; null for files on this computer. */
  baseUrl: string | null;
  /** Of a GGUF file; null for a folder. A pattern such as `*Q4_K_M*.gguf` before the hub's list has named the file. */
  fileName: string | null;
  /** The address that is asked for first, with its query: the GGUF file, the folder's config.json, the manifest, or the hub's list of files. */
  requested: string | null;
  /** As the model's own file names it: `model_type` of config.json, `general.architecture` of a GGUF file. */
  family: string | null;
  /** The number of transformer blocks. */
  layers: number | null;
  hiddenSize: number | null;
  vocabularySize: number | null;
  /** In tokens. */
  contextLength: number | null;
  /** Bytes of the tensors of each stored type, the largest share first. */
  weights: { type: string; bytes: number }[] | null;
  /** The length of all files that hold weights. */
  bytes: number | null;
  tokenizer: {
    /** `tokenizer.ggml.model` of a GGUF file, else the type of the model in tokenizer.json. */
    kind: string | null;
    /** `tokenizer.ggml.pre` of a GGUF file. */
    pre: string | null;
    /** The spelling of the token that begins a text. */
    bos: string | null;
    /** Whether texts begin with that token where no template writes it. */
    addsBos: boolean | null;
  } | null;
  /** The tokens that end an answer. */
  stopTokens: TokenText[] | null;
  /** The tokens that a person's text never becomes, by id. */
  controlMarks: TokenText[] | null;
  rope: {
    theta: number;
    /** The share of a head's dimensions that is rotated. */
    partialRotaryFactor: number;
    /** In the form of transformers' `rope_scaling`. */
    scaling: RopeScaling | null;
  } | null;
  /** What the authors suggest. */
  sampling: {
    temperature: number | null;
    topK: number | null;
    topP: number | null;
    minP: number | null;
    repetitionPenalty: number | null;
  };
  hasTemplate: boolean | null;
  /** The prompt that the template makes of a conversation; `ids` null without a tokenizer. */
  prompt: { text: string; ids: number[] | null } | null;
  /** Of a text. */
  ids: number[] | null;
  /** Of ids. */
  text: string | null;
  /** Why the model does not open, or a question about it has no answer, in one sentence. */
  refusal: string | null;
}

export function nothingKnown(): ModelDescription {
  return {
    kind: null,
    baseUrl: null,
    fileName: null,
    requested: null,
    family: null,
    layers: null,
    hiddenSize: null,
    vocabularySize: null,
    contextLength: null,
    weights: null,
    bytes: null,
    tokenizer: null,
    stopTokens: null,
    controlMarks: null,
    rope: null,
    sampling: {
      temperature: null,
      topK: null,
      topP: null,
      minP: null,
      repetitionPenalty: null,
    },
    hasTemplate: null,
    prompt: null,
    ids: null,
    text: null,
    refusal: null,
  };
}
