/** Turns what was read of a model into its description. Pure: a page describes a model that it could not open by it. */
import type { Tokenizer } from '../../model/text/tokenizer.ts';
import { nothingKnown, type ModelDescription, type TokenText } from './description.ts';
import type { ModelFacts } from './reading/model-facts.ts';

/** Where the model was looked for. */
export type ModelPlace = Pick<ModelDescription, 'baseUrl' | 'fileName' | 'requested'>;

/** Says nothing of `prompt`, `ids` and `text`, which answer questions about a model. */
export function describeModel(facts: ModelFacts, place: ModelPlace): ModelDescription {
  const { config, figures, tokenizer } = facts;
  return {
    ...nothingKnown(),
    ...place,
    kind: facts.kind,
    family: facts.family,
    layers: figures.layers ?? config?.num_hidden_layers ?? null,
    hiddenSize: figures.hiddenSize ?? config?.hidden_size ?? null,
    vocabularySize:
      figures.vocabularySize === undefined ? (config?.vocab_size ?? null) : figures.vocabularySize,
    contextLength: figures.contextLength ?? config?.max_position_embeddings ?? null,
    weights: facts.weights,
    bytes: facts.bytes,
    tokenizer: tokenizerOf(facts),
    stopTokens: facts.stopIds && facts.stopIds.map((id) => spelt(id, tokenizer)),
    controlMarks: tokenizer && controlMarksOf(tokenizer),
    rope: config && {
      theta: config.rope_theta,
      partialRotaryFactor: config.partial_rotary_factor ?? 1,
      scaling: config.rope_scaling ?? null,
    },
    sampling: samplingOf(facts.sampling),
    hasTemplate: facts.chatTemplate !== null,
    refusal: facts.refusal,
  };
}

function tokenizerOf(facts: ModelFacts): ModelDescription['tokenizer'] {
  const { tokenizer, tokenizerKind } = facts;
  if (!tokenizer) return tokenizerKind.kind === null ? null : tokenizerKind;
  const first = tokenizer.encode('', { bos: true }).at(0);
  const { bos_token: said } = facts.specialTokens;
  // Null says that there is none, whatever the configuration's id is.
  const named = said === undefined ? spellingOf(facts.config?.bos_token_id, tokenizer) : said;
  return {
    ...tokenizerKind,
    bos: tokenizerKind.bos ?? named ?? spellingOf(first, tokenizer),
    addsBos: tokenizerKind.addsBos ?? first !== undefined,
  };
}

function spellingOf(id: number | null | undefined, tokenizer: Tokenizer): string | null {
  return id === null || id === undefined ? null : (tokenizer.idToToken(id) ?? null);
}

function spelt(id: number, tokenizer: Tokenizer | null): TokenText {
  return { id, text: tokenizer?.idToToken(id) ?? null };
}

function controlMarksOf(tokenizer: Tokenizer): TokenText[] {
  return tokenizer.controlMarks
    .flatMap((text) => {
      const id = tokenizer.tokenToId(text);
      return id === undefined ? [] : { id, text };
    })
    .sort((a, b) => a.id - b.id);
}

function samplingOf(sampling: ModelFacts['sampling']): ModelDescription['sampling'] {
  return {
    temperature: sampling['temperature'] ?? null,
    topK: sampling['top_k'] ?? null,
    topP: sampling['top_p'] ?? null,
    minP: sampling['min_p'] ?? null,
    repetitionPenalty: sampling['repetition_penalty'] ?? null,
  };
}
