/**
 * Logits travel from the worker to the page and back again in the same few buffers. Made anew for every token, those
 * of a large vocabulary had each of the two threads collect its garbage once a second, and laps waited for that.
 */
import { release } from '../model/release.ts';
import type { RunResult } from './engine.ts';

export interface SpareLogits {
  /** Logits that nobody reads any more. */
  add(buffer: ArrayBuffer): void;
  /** The result, with logits in a spare buffer if there is one of their size. Other results are as they were. */
  place(result: RunResult): RunResult;
}

/** Those of 16 answers that share a run, with the largest vocabularies there are. */
const mostBytes = 16 * 1024 * 1024;

export function createSpareLogits(): SpareLogits {
  /** What came last is last. */
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
      // Sizes change with what is drafted: those that are not asked for any more go first.
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
