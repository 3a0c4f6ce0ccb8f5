/**
 * Guards the proof of the room key. Nobody guesses 256 bits, but trying must cost the one who tries and not the room. Few
 * proofs are under way at once. After some have failed, newcomers wait before theirs begins. A device that was in the room
 * before does not wait, so that trying keys shuts nobody out.
 */
import { LinkError } from '../../../transport/index.ts';

export interface ProofGuard {
  /**
   * Has a newcomer prove the key by `open`, which is to wait for `beforeProof`. Rejects as `open` does, or with
   * a sentence when too many proofs are under way.
   */
  prove<T>(open: (beforeProof: (fingerprint: string) => Promise<void>) => Promise<T>): Promise<T>;
}

export interface ProofGuardOptions {
  /** Whether a certificate is one that was in the room before. */
  isKnown: (fingerprint: string) => boolean;
  /** So many proofs have failed of late. Called once, and again only after a time without failures. */
  onSuspicion: (failures: number) => void;
}

/** A class opens the link at one word; each is through in a second or two. */
export const mostAtOnce = 32;
/** A link that was copied badly fails once or twice. */
export const freeFailures = 3;
const firstDelayMs = 500;
/** Half as long as a newcomer waits for the host, so that an honest one still gets in. */
export const longestDelayMs = 10_000;
/** After so long without a failure, earlier ones are forgotten. */
export const memoryMs = 10 * 60_000;

export function createProofGuard({ isKnown, onSuspicion }: ProofGuardOptions): ProofGuard {
  let atOnce = 0;
  let failures = 0;
  let lastFailureMs = -Infinity;

  function recentFailures(): number {
    if (performance.now() - lastFailureMs > memoryMs) failures = 0;
    return failures;
  }

  function delayMs(): number {
    const excess = recentFailures() - freeFailures;
    return excess < 0 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** excess);
  }

  function failed(): void {
    failures = recentFailures() + 1;
    lastFailureMs = performance.now();
    if (failures === freeFailures) onSuspicion(failures);
  }

  async function beforeProof(fingerprint: string): Promise<void> {
    const ms = isKnown(fingerprint) ? 0 : delayMs();
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  }

  return {
    async prove(open) {
      if (atOnce >= mostAtOnce)
        throw new LinkError('refused', 'Too many devices join at once: try again in a moment.');
      atOnce++;
      try {
        return await open(beforeProof);
      } catch (error) {
        if (error instanceof LinkError && error.code === 'wrong-key') failed();
        throw error;
      } finally {
        atOnce--;
      }
    },
  };
}
