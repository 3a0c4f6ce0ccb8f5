/**
 * Chooses the next token from its logits. The filters follow the order and the meaning that
 * Hugging Face's `generate` gives them: repetition penalty, temperature, top-k, top-p, min-p, then a
 * draw from what is left.
 */
export interface SamplingOptions {
  /** 0 is greedy: always the most likely token. */
  temperature: number;
  /** Keep only the k most likely tokens; 0 keeps all. */
  topK: number;
  /** Keep the smallest set whose probability reaches this; 1 keeps all. */
  topP: number;
  /** Keep tokens at least this fraction as likely as the most likely one; 0 keeps all. */
  minP: number;
  /** Divides the logits of tokens already present; 1 is off. */
  repetitionPenalty: number;
  /** The same seed gives the same text; null draws a fresh one. */
  seed: number | null;
}

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
  return {
    next(logits, context) {
      const scores = penalised(logits, context, options.repetitionPenalty);
      if (options.temperature === 0) return argmax(scores);
      return drawFrom(candidates(scores, options), draw());
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

/** Tokens that survive the filters, most likely first; probabilities are not yet renormalised. */
function candidates(scores: Float32Array, options: SamplingOptions): Candidate[] {
  const { temperature, topK, topP, minP } = options;
  const peak = scores[argmax(scores)];
  // Below e^-30 of the peak no draw of 2^32 steps can land: leaving those out keeps the sort short.
  const floor = peak - 30 * temperature;
  let kept: Candidate[] = [];
  for (let id = 0; id < scores.length; id++) {
    if (scores[id] < floor) continue;
    kept.push({ id, probability: Math.exp((scores[id] - peak) / temperature) });
  }
  kept.sort((a, b) => b.probability - a.probability || a.id - b.id);
  if (topK > 0) kept = kept.slice(0, topK);
  if (topP < 1) kept = nucleus(kept, topP);
  // The peak's weight is 1, so min-p's bound relative to it is minP itself.
  return minP > 0 ? kept.filter((candidate) => candidate.probability >= minP) : kept;
}

function nucleus(sorted: Candidate[], topP: number): Candidate[] {
  const total = sorted.reduce((sum, candidate) => sum + candidate.probability, 0);
  let reached = 0;
  const end = sorted.findIndex((candidate) => (reached += candidate.probability / total) >= topP);
  return end === -1 ? sorted : sorted.slice(0, end + 1);
}

function drawFrom(kept: Candidate[], uniform: number): number {
  const total = kept.reduce((sum, candidate) => sum + candidate.probability, 0);
  let left = uniform * total;
  for (const candidate of kept) {
    left -= candidate.probability;
    if (left < 0) return candidate.id;
  }
  return kept[kept.length - 1].id;
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
