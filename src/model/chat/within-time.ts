/** Ends work in Node that takes too long. Browsers have the prompt worker for that. */
import { runInNewContext } from 'node:vm';
import { neverEnded } from './endless.ts';

/**
 * @param what the subject of the sentence that says so, such as "The model's chat template"
 * @throws Error if the work is not done within the time; endless loops and search patterns are ended too
 */
export function withinTime<Result>(what: string, limitMs: number, work: () => Result): Result {
  let result: { value: Result } | null = null;
  const run = (): void => {
    result = { value: work() };
  };
  try {
    runInNewContext('run()', { run }, { timeout: limitMs });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new Error(neverEnded(what, limitMs), { cause: error });
  }
  return valueOf(result);
}

function isTimeout(error: unknown): boolean {
  // The error may be of the other context's own kind.
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

function valueOf<Result>(result: { value: Result } | null): Result {
  if (!result) throw new Error('the work ended without a result');
  return result.value;
}
