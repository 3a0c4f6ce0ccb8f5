/** A condition variable: work waits until a condition holds, which is checked again at every `notify`. */
import { asError } from './error-message.ts';

export interface ConditionVariable {
  /** Has all that waits check its condition again. */
  notify(): void;
  /** Resolves once `condition` gives a value; rejects if it throws, or with the signal's reason. */
  until<T>(condition: () => T | null, signal?: AbortSignal): Promise<T>;
}

export function createConditionVariable(): ConditionVariable {
  const waiting = new Set<() => void>();

  return {
    notify() {
      for (const check of [...waiting]) check();
    },
    until: <T>(condition: () => T | null, signal?: AbortSignal) =>
      new Promise<T>((resolve, reject) => {
        const stop = (): void => {
          waiting.delete(check);
          signal?.removeEventListener('abort', giveUp);
        };
        const giveUp = (): void => {
          stop();
          reject(signal?.reason instanceof Error ? signal.reason : new Error('stopped'));
        };
        const check = (): void => {
          try {
            const value = condition();
            if (value === null) return;
            stop();
            resolve(value);
          } catch (error) {
            stop();
            reject(asError(error));
          }
        };
        waiting.add(check);
        signal?.addEventListener('abort', giveUp);
        if (signal?.aborted) giveUp();
        else check();
      }),
  };
}
