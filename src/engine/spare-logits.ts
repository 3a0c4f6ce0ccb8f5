/**
 * Reuses the buffers in which logits travel from the worker to the page and back. With new buffers for every
 * token of a large vocabulary, both threads collected garbage once a second, and laps waited for that.
 */
import { release } from '../model/release.ts';
import type { RunResult } from './engine.ts';

export interface SpareLogits {
  /** Takes a buffer of logits that nobody reads any more. */
  add(buffer: ArrayBuffer): void;
  /** The result, with its logits in a spare buffer if one has their size. Other results are returned unchanged. */
  place(result: RunResult): RunResult;
}

/** The logits of 16 answers that share a run, with the largest vocabularies. */
const mostBytes = 16 * 1024 * 1024;

export function createSpareLogits(): SpareLogits {
  /** Oldest first. */
  const spare: ArrayBuffer[] = [];
  let bytes = 0;

  function take(at: number): ArrayBuffer {
    const [buffer] = spare.splice(at, 1);
    bytes -= buffer.byteLength;
    return buffer;
  }

  return {
    add(buffer) {
      spare.push(buffer);
      bytes += buffer.byteLength;
      // Sizes change with drafts, so the oldest buffers, which may no longer be needed, go first.
      while (bytes > mostBytes) take(0);
    },
    place(result) {
      if (result.kind !== 'logits') return result;
      const at = spare.findIndex(({ byteLength }) => byteLength === result.values.byteLength);
      if (at === -1) return result;
      const values = new Float32Array(take(at));
      values.set(result.values);
      release(result.values);
      return { ...result, values };
    },
  };
}
