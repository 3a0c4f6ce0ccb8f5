/**
 * An answer's migration to a better plan. The caches that the new plan's devices lack are rebuilt while the answer stays
 * on its own plan; it changes over between two tokens, once nearly everything is there.
 */
import { msPerTokenOf, type RunningLap } from '../planning/index.ts';
import type { Caches, OpenSequence } from '../kv-cache/index.ts';

export interface MigratingAnswer {
  caches: Pick<Caches, 'sequences' | 'rebuilds'>;
  opened: OpenSequence;
  promptTokens: number;
  /** Prompt and answer so far. */
  ids: () => readonly number[];
  /** Tokens that may still come. */
  tokensLeft: () => number;
  /** Answers that share the lap now. */
  inFlight: () => number;
}

export interface PlanMigration {
  /** Asked between two tokens; `readMs` is what reading the prompt took. True when the answer should change over. */
  isDue(readMs: number): boolean;
  end(): void;
}

/** Follows the successors of the plan that an answer runs on. */
export function createPlanMigration(running: RunningLap, answer: MigratingAnswer): PlanMigration {
  let target: RunningLap | null = null;
  let changeover: Changeover | null = null;
  return {
    isDue(readMs) {
      const successor = running.successor();
      if (successor !== target) {
        changeover?.end();
        changeover = target = null;
        if (!successor || !paysToMigrate(running, successor, answer, readMs)) return false;
        target = successor;
        changeover = prepareChangeover(successor, answer);
      }
      return changeover?.isReady() ?? false;
    },
    end: () => changeover?.end(),
  };
}

/** What it costs the answer, or others that share its devices, must be earned back by the tokens still to come. */
function paysToMigrate(
  { plan }: RunningLap,
  successor: RunningLap,
  { ids, promptTokens, tokensLeft, inFlight }: MigratingAnswer,
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

interface Changeover {
  /** Nearly everything is cached: what the answer has grown by meanwhile takes no time to rebuild. */
  isReady: () => boolean;
  end: () => void;
}

/** What a lap or two bring. */
const smallGap = 2;
/** Where the answer grows nearly as fast as its caches are rebuilt, another round gains nothing. */
const mostRounds = 4;

function prepareChangeover(
  target: RunningLap,
  { caches: { rebuilds, sequences }, opened, ids }: MigratingAnswer,
): Changeover {
  const letGo = target.hold();
  const giveBack = sequences.reserve();
  const preparation = rebuilds.prepare(target, opened.sequence);
  // Without memory for another cache, the answer changes over at once and waits for what it lacks.
  let isReady = giveBack === null;

  async function catchUp(): Promise<void> {
    let rebuilt = 0;
    for (let round = 0; round < mostRounds && opened.cached - rebuilt > smallGap; round++) {
      rebuilt = opened.cached;
      await preparation.catchUp({ ids: ids(), upTo: rebuilt });
    }
    isReady = true;
  }

  // A rebuild that fails leaves the answer where it is.
  if (!isReady) catchUp().catch(() => undefined);
  return {
    isReady: () => isReady,
    end() {
      preparation.end();
      giveBack?.();
      letGo();
    },
  };
}
