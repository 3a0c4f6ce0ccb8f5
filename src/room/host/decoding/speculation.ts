/**
 * Speculative decoding by prompt lookup: where a text repeats itself, the tokens that followed last time are sent along and
 * verified in the same lap. The verified tokens are exactly those that would have come one by one, since the same sampler
 * chooses each from the same logits. A wrong draft costs its computing.
 *
 * How many tokens are drafted depends on what laps have cost so far, and on how often this text went on as it had before.
 * Drafts are then used where the lap waits for the network, and not where it waits for arithmetic. Laps without drafts
 * teach as well whether the text repeats itself, since what would have been drafted is known.
 */
export interface Speculation {
  /** Tokens to try after the last of `ids`; empty where nothing repeats or nothing is to be gained. */
  draft(ids: readonly number[], maxTokens: number): number[];
  /** What the lap after that took, how many tokens were tried, and which it brought. */
  observe(lap: SeenLap & { brought: readonly number[] }): void;
}

export interface SeenLap {
  lapMs: number;
  computeMs: number;
  drafted: number;
}

/** What laps of one plan cost; learned by all answers together. */
export interface LapCosts {
  /** Null before the first lap. */
  readonly plainMs: number | null;
  /** What each drafted token adds. */
  readonly addedMs: number;
  observe(lap: SeenLap): void;
}

/** Longest and shortest run of last tokens that is looked for in the text before. */
const longestMatch = 4;
const shortestMatch = 2;
const maxDraft = 8;
/** Weight of the newest observation in a running mean. */
const newest = 0.2;
/** A draft must promise this much more tokens a millisecond: estimates err, and plain laps never do. */
const promisedGain = 1.1;
/** How often a text goes on as before, until its own says so. */
const firstAcceptance = 0.5;

/** Gives each answer its own speculation. All that begin on one plan share what its laps cost. */
export function createSpeculations(): (planVersion: number) => Speculation {
  let latest = { planVersion: 0, costs: createLapCosts() };
  return (planVersion) => {
    if (planVersion > latest.planVersion) latest = { planVersion, costs: createLapCosts() };
    return createSpeculation(latest.costs);
  };
}

export function createLapCosts(): LapCosts {
  let plainMs: number | null = null;
  let plainComputeMs: number | null = null;
  /** Until one was seen, as much arithmetic as a token of its own. */
  let addedMs: number | null = null;
  return {
    get plainMs() {
      return plainMs;
    },
    get addedMs() {
      return addedMs ?? plainComputeMs ?? 0;
    },
    observe({ lapMs, computeMs, drafted }) {
      // With a draft no lap is shorter than without: links that got faster show in either.
      if (drafted === 0 || (plainMs !== null && lapMs < plainMs)) plainMs = mean(plainMs, lapMs);
      if (drafted === 0) plainComputeMs = mean(plainComputeMs, computeMs);
      else if (plainMs !== null) addedMs = mean(addedMs, Math.max(0, lapMs - plainMs) / drafted);
    },
  };
}

/** For one answer. */
export function createSpeculation(costs: LapCosts): Speculation {
  let acceptance = firstAcceptance;
  let tokensSeen = 1;
  /** What followed last time. */
  let foreseen: number[] = [];

  function bestLength(): number {
    if (costs.plainMs === null) return 0;
    let best = 0;
    let bestRate = promisedGain / costs.plainMs;
    let expected = 1;
    for (let length = 1; length <= maxDraft; length++) {
      expected += acceptance ** length;
      const rate = expected / (costs.plainMs + length * costs.addedMs);
      if (rate <= bestRate) continue;
      best = length;
      bestRate = rate;
    }
    return best;
  }

  return {
    draft(ids, maxTokens) {
      foreseen = followers(ids, maxDraft);
      return foreseen.slice(0, Math.min(bestLength(), maxTokens));
    },
    observe({ brought, ...lap }) {
      costs.observe(lap);
      // Each token tells whether it was foreseen, until the first that was not.
      for (const [index, id] of brought.slice(0, foreseen.length).entries()) {
        const isRight = id === foreseen[index];
        // The guess at the start weighs as much as one token.
        acceptance += Math.max(newest, 1 / ++tokensSeen) * (Number(isRight) - acceptance);
        if (!isRight) break;
      }
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
