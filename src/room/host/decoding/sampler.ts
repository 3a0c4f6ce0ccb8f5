/**
 * Chooses the next token from its logits. The filters follow the order and the meaning that
 * Hugging Face's `generate` gives them: repetition penalty, temperature, top-k, top-p, min-p, then a
 * draw from what is left.
 */
import type { SamplingOptions } from '../../room.ts';

export const greedy: SamplingOptions = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: null,
};

export interface Sampler {
  /** Next token id for `logits` [vocab_size] (left unchanged), given the ids so far. */
  next(logits: Float32Array, context: readonly number[]): number;
}

/** `drawn`: how many tokens this seed has given before, for an answer that goes on. */
export function createSampler(options: SamplingOptions, drawn = 0): Sampler {
  const draw = mulberry32(options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  for (let skipped = 0; skipped < drawn; skipped++) draw();
  /** Kept from token to token: a large vocabulary's weights are a large piece of garbage. */
  let weights = new Float64Array(0);
  return {
    next(logits, context) {
      const scores = penalised(logits, context, options.repetitionPenalty);
      if (options.temperature === 0) return argmax(scores);
      if (weights.length !== scores.length) weights = new Float64Array(scores.length);
      return drawFrom(scores, options, draw(), weights);
    },
  };
}

/** The `count` largest logits with their ids, largest first; ties by the smaller id. */
export function topLogits(logits: Float32Array, count: number): [id: number, logit: number][] {
  const kept: [number, number][] = [];
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id];
    if (kept.length === count && logit <= kept[count - 1][1]) continue;
    let at = kept.length;
    while (at > 0 && kept[at - 1][1] < logit) at--;
    kept.splice(at, 0, [id, logit]);
    if (kept.length > count) kept.pop();
  }
  return kept;
}

function argmax(scores: Float32Array): number {
  let best = 0;
  for (let id = 1; id < scores.length; id++) if (scores[id] > scores[best]) best = id;
  return best;
}

function penalised(
  logits: Float32Array,
  context: readonly number[],
  penalty: number,
): Float32Array {
  if (penalty === 1) return logits;
  const scores = logits.slice();
  for (const id of new Set(context)) {
    scores[id] = scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty;
  }
  return scores;
}

interface Candidate {
  id: number;
  probability: number;
}

/** Below e^-30 of the peak no draw of 2^32 steps can land. */
const leastExponent = -30;
/** Nor among tokens that together are less likely than this. */
const negligible = 2 ** -34;

/**
 * The token on which `uniform`, in [0, 1), falls among those that survive the filters, most likely first.
 * Probabilities are relative to the peak's. A few hundred tokens of a large vocabulary carry nearly all of the
 * probability: to sort the rest of it as well would take longer than a small model's token.
 *
 * `weights` [vocab_size] is overwritten.
 */
function drawFrom(
  scores: Float32Array,
  options: SamplingOptions,
  uniform: number,
  weights: Float64Array,
): number {
  const { temperature, topK, topP, minP } = options;
  const peak = scores[argmax(scores)];
  let total = 0;
  for (let id = 0; id < scores.length; id++) {
    const exponent = (scores[id] - peak) / temperature;
    total += weights[id] = exponent >= leastExponent ? Math.exp(exponent) : 0;
  }
  const sorted = likeliest(weights, leastWeight(weights, total, options, uniform));
  let kept = topK > 0 ? sorted.slice(0, topK) : sorted;
  if (topP < 1) kept = nucleus(kept, topP * (topK > 0 ? sumOf(kept) : total));
  // The peak's weight is 1, so min-p's bound relative to it is minP itself.
  if (minP > 0) kept = kept.filter((candidate) => candidate.probability >= minP);
  const isFiltered = topK > 0 || topP < 1 || minP > 0;
  let left = uniform * (isFiltered ? sumOf(kept) : total);
  for (const candidate of kept) {
    left -= candidate.probability;
    if (left < 0) return candidate.id;
  }
  return kept[kept.length - 1].id;
}

/** A weight such that filters and draw reach no token below it. */
function leastWeight(
  weights: Float64Array,
  total: number,
  { topK, topP, minP }: SamplingOptions,
  uniform: number,
): number {
  // Top-p takes its part of all that top-k keeps, however unlikely.
  const bound = topK > 0 && topP < 1 ? 0 : minP;
  const reached = minP > 0 ? 1 : uniform + negligible;
  const most = total * Math.min(topP < 1 ? topP : reached, 1 - negligible);
  for (let least = 0.1; least > Math.max(bound, Math.exp(leastExponent)); least *= 0.2) {
    let count = 0;
    let mass = 0;
    for (const weight of weights)
      if (weight >= least) {
        count++;
        mass += weight;
      }
    if (topK > 0 ? count >= topK : mass >= most) return least;
  }
  return Math.max(bound, Number.MIN_VALUE);
}

function likeliest(weights: Float64Array, least: number): Candidate[] {
  const kept: Candidate[] = [];
  for (let id = 0; id < weights.length; id++)
    if (weights[id] >= least) kept.push({ id, probability: weights[id] });
  return kept.sort((a, b) => b.probability - a.probability || a.id - b.id);
}

/** The smallest set of the likeliest that reaches `bound` together. */
function nucleus(sorted: Candidate[], bound: number): Candidate[] {
  let reached = 0;
  const end = sorted.findIndex((candidate) => (reached += candidate.probability) >= bound);
  return end === -1 ? sorted : sorted.slice(0, end + 1);
}

function sumOf(kept: readonly Candidate[]): number {
  return kept.reduce((sum, { probability }) => sum + probability, 0);
}

/** Uniform draws in [0, 1) from a 32-bit seed (Mulberry32, Tommy Ettinger, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
