/**
 * The replay buffer: hidden states that this device sent on, as they were packed for the wire. A device that takes the
 * place of a lost one is sent them again, and rebuilds its caches from the same bytes. There is one run of states for
 * each sequence and layer boundary. Over the budget, the run that was not added to for longest goes first.
 */
export interface ReplayBuffer {
  /** Bytes held now. */
  readonly bytes: number;
  /** States of the positions from `position` on; what was kept beyond it belongs to a text that was rolled back. */
  keep(at: Place, position: number, payload: Uint8Array): void;
  /** The states of these positions, packed; null where they are not kept. */
  read(at: Place, position: number, tokens: number): Uint8Array<ArrayBuffer> | null;
  /** Has `to` begin with the first `length` positions of `from`, at every boundary. */
  fork(from: number, to: number, length: number): void;
  release(sequence: number): void;
}

export interface Place {
  sequence: number;
  /** The layer that these states go into. */
  layer: number;
}

/** States of positions that follow each other. */
interface Run extends Place {
  /** Position of the first state. */
  from: number;
  tokens: number;
  /** Room for more than `tokens`. */
  packed: Uint8Array<ArrayBuffer>;
}

const firstTokens = 64;

export function createReplayBuffer(bytesPerToken: number, budgetBytes: () => number): ReplayBuffer {
  /** The one added to longest ago first. */
  const all = new Map<string, Run>();
  let bytes = 0;

  function drop(name: string): void {
    bytes -= all.get(name)?.packed.length ?? 0;
    all.delete(name);
  }

  function put(run: Run): void {
    const name = nameOf(run);
    drop(name);
    all.set(name, run);
    bytes += run.packed.length;
    for (const oldest of all.keys()) {
      if (bytes <= budgetBytes()) break;
      drop(oldest);
    }
  }

  function roomFor(run: Run, tokens: number): Uint8Array<ArrayBuffer> {
    if (tokens * bytesPerToken <= run.packed.length) return run.packed;
    const grown = new Uint8Array(Math.max(tokens, 2 * run.tokens, firstTokens) * bytesPerToken);
    grown.set(run.packed.subarray(0, run.tokens * bytesPerToken));
    return grown;
  }

  return {
    get bytes() {
      return bytes;
    },
    keep(at, position, payload) {
      const before = all.get(nameOf(at));
      const isJoined = before && position >= before.from && position <= before.from + before.tokens;
      const run = isJoined
        ? { ...before, tokens: position - before.from }
        : { ...at, from: position, tokens: 0, packed: new Uint8Array(0) };
      const tokens = run.tokens + payload.length / bytesPerToken;
      const packed = roomFor(run, tokens);
      packed.set(payload, run.tokens * bytesPerToken);
      put({ ...run, tokens, packed });
    },
    read(at, position, tokens) {
      const run = all.get(nameOf(at));
      if (!run || position < run.from || position + tokens > run.from + run.tokens) return null;
      const start = position - run.from;
      return run.packed.slice(start * bytesPerToken, (start + tokens) * bytesPerToken);
    },
    fork(from, to, length) {
      for (const run of [...all.values()]) {
        if (run.sequence !== from || run.from > 0 || run.tokens < length) continue;
        const packed = run.packed.slice(0, length * bytesPerToken);
        put({ ...run, sequence: to, tokens: length, packed });
      }
    },
    release(sequence) {
      for (const [name, run] of all) if (run.sequence === sequence) drop(name);
    },
  };
}

function nameOf({ sequence, layer }: Place): string {
  return `${sequence} ${layer}`;
}

/** Of a device's memory budget. */
const replayShare = 1 / 32;

/** What of a device's memory is set aside for the hidden states that it sent on, in bytes. */
export function replayBudgetBytes(budgetBytes: number): number {
  return Math.floor(budgetBytes * replayShare);
}
