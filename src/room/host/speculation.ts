/**
 * Prompt-lookup drafts: where a text repeats itself, the tokens that followed last time are sent along
 * and verified in the same lap. The verified tokens are exactly those that would have come one by one,
 * since each is chosen by the same sampler from the same logits; a wrong draft costs its computing.
 *
 * How many tokens to draft is decided by what laps have been seen to cost and how many drafts came
 * true, so that it is used where the lap waits for the network and not where it waits for arithmetic.
 */
export interface Speculation {
  /** Tokens to try after the last of `ids`; empty where nothing repeats or nothing is to be gained. */
  draft(ids: readonly number[], maxTokens: number): number[];
  /** What a lap with `drafted` tokens took, and how many of them came true. */
  observe(lap: { lapMs: number; computeMs: number; drafted: number; accepted: number }): void;
}

/** Longest and shortest run of last tokens that is looked for in the text before. */
const longestMatch = 4;
const shortestMatch = 2;
const maxDraft = 8;
/** Weight of the newest observation in a running mean. */
const newest = 0.2;
/** A draft must promise this much more tokens a millisecond: estimates err, and plain laps never do. */
const promisedGain = 1.1;

export function createSpeculation(): Speculation {
  /** A plain lap, and how much of it is arithmetic; running means. */
  let plainMs: number | null = null;
  let plainComputeMs = 0;
  /** What each drafted token adds; until one was seen, as much arithmetic as a token of its own. */
  let addedMs: number | null = null;
  let acceptance = 0.5;

  function bestLength(): number {
    if (plainMs === null) return 0;
    const perDraftMs = addedMs ?? plainComputeMs;
    let best = 0;
    let bestRate = promisedGain / plainMs;
    let expected = 1;
    for (let length = 1; length <= maxDraft; length++) {
      expected += acceptance ** length;
      const rate = expected / (plainMs + length * perDraftMs);
      if (rate <= bestRate) continue;
      best = length;
      bestRate = rate;
    }
    return best;
  }

  return {
    draft(ids, maxTokens) {
      const length = Math.min(bestLength(), maxTokens);
      return length > 0 ? followers(ids, length) : [];
    },
    observe({ lapMs, computeMs, drafted, accepted }) {
      if (drafted === 0) {
        plainMs = mean(plainMs, lapMs);
        plainComputeMs = mean(plainComputeMs || null, computeMs);
        return;
      }
      if (plainMs !== null) addedMs = mean(addedMs, Math.max(0, lapMs - plainMs) / drafted);
      // Once a draft fails, those after it were never tried.
      const tried = Math.min(drafted, accepted + 1);
      acceptance = mean(acceptance, accepted / tried);
    },
  };
}

function mean(before: number | null, value: number): number {
  return before === null ? value : before + newest * (value - before);
}

/** What followed the latest earlier place where the last tokens stood too. */
function followers(ids: readonly number[], length: number): number[] {
  for (let match = longestMatch; match >= shortestMatch; match--) {
    const tail = ids.length - match;
    for (let start = tail - 1; start >= 0; start--) {
      let same = 0;
      while (same < match && ids[start + same] === ids[tail + same]) same++;
      if (same === match) return ids.slice(start + match, start + match + length);
    }
  }
  return [];
}
