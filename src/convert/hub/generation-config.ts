/**
 * Reads `generation_config.json`: stop tokens, and the sampling that a model's authors suggest. A value that
 * means "off", or that no sampler takes, is left out, and keeps no model from opening.
 *
 * Source: transformers, `generation/utils.py`, `_get_logits_processor`; other programs write values of their
 * own there, such as vLLM's −1 for no limit of `top_k`.
 */
import { isRecord } from '../../base/is-record.ts';

export interface GenerationConfig {
  /** Ids of stop tokens. */
  eos: number[];
  /** Under the file's names. A temperature of 0 is greedy. */
  sampling: Record<string, number>;
}

/** Whether a number is one that a sampler takes and that changes what it does. */
const takes: Record<string, (value: number) => boolean> = {
  temperature: (value) => value >= 0 && value <= 100,
  top_k: (value) => Number.isInteger(value) && value > 0 && value <= 1 << 20,
  top_p: (value) => value >= 0 && value < 1,
  min_p: (value) => value > 0 && value <= 1,
  repetition_penalty: (value) => value > 0 && value <= 100 && value !== 1,
};

/** Greedy decoding takes the most likely token, and these would only choose among others. */
const ofSamplingOnly = ['temperature', 'top_k', 'top_p', 'min_p'];

/** @param json the parsed file; anything else counts as an empty one */
export function readGenerationConfig(json: unknown): GenerationConfig {
  const fields: Readonly<Record<string, unknown>> = isRecord(json) ? json : {};
  const isGreedy = fields['do_sample'] === false;
  const sampling: Record<string, number> = isGreedy ? { temperature: 0 } : {};
  for (const [name, isTaken] of Object.entries(takes)) {
    const value = fields[name];
    if (isGreedy && ofSamplingOnly.includes(name)) continue;
    if (typeof value === 'number' && Number.isFinite(value) && isTaken(value))
      sampling[name] = value;
  }
  return { eos: tokenIds(fields['eos_token_id']), sampling };
}

/** An id, a list of ids, or neither. */
function tokenIds(value: unknown): number[] {
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  return ids.filter((id): id is number => Number.isSafeInteger(id) && Number(id) >= 0);
}
