import { msPerTokenOf, type RunningLap } from '../planning/index.ts';
import type { CacheRebuilds, Lease, Sequences } from '../kv-cache/index.ts';

export interface MovingAnswer {
  rebuilds: CacheRebuilds;
  sequences: Sequences;
  lease: Lease;
  promptTokens: number;
  /** Prompt and answer so far. */
  ids: () => readonly number[];
  /** Tokens that may still come. */
  tokensLeft: () => number;
  /** Answers that share the lap now. */
  inFlight: () => number;
}

export interface Moves {
  /** Asked between two tokens; `readMs` is what reading the prompt took. True when the answer should change over. */
  isDue(readMs: number): boolean;
  end(): void;
}

export function createMoves(running: RunningLap, answer: MovingAnswer): Moves {
  let to: RunningLap | null = null;
  let move: Move | null = null;
  return {
    isDue(readMs) {
      const successor = running.successor();
      if (successor !== to) {
        move?.end();
        move = to = null;
        if (!successor || !paysToMove(running, successor, answer, readMs)) return false;
        to = successor;
        move = beginMove(successor, answer);
      }
      return move?.isReady() ?? false;
    },
    end: () => move?.end(),
  };
}

/** What moving costs the answer, or others that share its devices, must be earned back by the tokens still to come. */
function paysToMove(
  { plan }: RunningLap,
  successor: RunningLap,
  { ids, promptTokens, tokensLeft, inFlight }: MovingAnswer,
  readMs: number,
): boolean {
  const read = ids().length;
  if (read === promptTokens) return false;
  const answers = inFlight();
  const gainMs = msPerTokenOf(plan, answers) - msPerTokenOf(successor.plan, answers);
  const rebuildMs = (readMs * read) / promptTokens;
  // Few answers are as long as they may be: half of what is left is a fair guess.
  return (gainMs * tokensLeft()) / 2 > rebuildMs;
}

interface Move {
  /** Nearly everything is there: what the answer has grown by meanwhile is filled in no time. */
  isReady: () => boolean;
  end: () => void;
}

/** What a lap or two bring. */
const smallGap = 2;
/** Where the answer grows nearly as fast as it is filled, another round gains nothing. */
const mostRounds = 4;

function beginMove(to: RunningLap, { rebuilds, sequences, lease, ids }: MovingAnswer): Move {
  const letGo = to.hold();
  const giveBack = sequences.reserve();
  const preparation = rebuilds.prepare(to, lease.sequence);
  // Without memory for another cache, the answer changes over at once and waits for what it lacks.
  let isReady = giveBack === null;

  async function fill(): Promise<void> {
    let filled = 0;
    for (let round = 0; round < mostRounds && lease.cached - filled > smallGap; round++) {
      filled = lease.cached;
      await preparation.fill({ ids: ids(), upTo: filled });
    }
    isReady = true;
  }

  // One that fails leaves the answer where it is.
  if (!isReady) fill().catch(() => undefined);
  return {
    isReady: () => isReady,
    end() {
      preparation.end();
      giveBack?.();
      letGo();
    },
  };
}
