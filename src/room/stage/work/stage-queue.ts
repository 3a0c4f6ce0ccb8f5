/**
 * The order in which a stage works. Tokens of running answers come first and together. Between two rounds of them one
 * piece of a prompt is read: a long prompt does not freeze the answers, and the answers do not keep a new one from
 * starting. Work of one sequence keeps its order.
 */
export interface QueuedWork {
  /** `token`: a step of an answer. `prompt`: a piece of a prompt, or what prepares one. */
  kind: 'token' | 'prompt';
  sequence: number;
}

export interface StageQueue<Work extends QueuedWork> {
  push(work: Work): void;
  /** What to do next, in one go; empty when there is nothing. Several only of kind `token`, of different sequences. */
  take(): Work[];
}

export function createStageQueue<Work extends QueuedWork>(
  maxTogether: () => number,
): StageQueue<Work> {
  let tokens: Work[] = [];
  const prompts: Work[] = [];
  let tokensWereLast = false;

  function takeTokens(): Work[] {
    const taken: Work[] = [];
    const left: Work[] = [];
    const sequences = new Set<number>();
    const most = maxTogether();
    for (const work of tokens) {
      const fits = taken.length < most && !sequences.has(work.sequence);
      sequences.add(work.sequence);
      (fits ? taken : left).push(work);
    }
    tokens = left;
    return taken;
  }

  /** The first piece that is not behind a step of its own sequence. */
  function takePrompt(): Work | undefined {
    const next = prompts.findIndex(
      ({ sequence }) => !tokens.some((token) => token.sequence === sequence),
    );
    return next === -1 ? undefined : prompts.splice(next, 1)[0];
  }

  return {
    push(work) {
      // A step whose sequence still has prompt to read waits behind it.
      const waitsForPrompt = prompts.some(({ sequence }) => sequence === work.sequence);
      if (work.kind === 'token' && !waitsForPrompt) tokens.push(work);
      else prompts.push(work);
    },
    take() {
      const next = tokensWereLast || tokens.length === 0 ? takePrompt() : undefined;
      tokensWereLast = next === undefined && tokens.length > 0;
      return next ? [next] : takeTokens();
    },
  };
}
