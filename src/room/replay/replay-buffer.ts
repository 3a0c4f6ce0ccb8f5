/**
 * The hidden states that this device sent on, as they were packed for the wire: whoever takes the place
 * of a lost device is sent them again, and fills its caches from the very bytes the other had. They are
 * kept a sequence and layer boundary at a time; over the budget, those not added to for longest go first.
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

interface Kept extends Place {
  /** Position of the first state. */
  from: number;
  tokens: number;
  /** Room for more than `tokens`. */
  packed: Uint8Array<ArrayBuffer>;
}

const firstTokens = 64;

export function createReplayBuffer(bytesPerToken: number, budgetBytes: () => number): ReplayBuffer {
  /** The one added to longest ago first. */
  const all = new Map<string, Kept>();
  let bytes = 0;

  function drop(name: string): void {
    bytes -= all.get(name)?.packed.length ?? 0;
    all.delete(name);
  }

  function put(kept: Kept): void {
    const name = nameOf(kept);
    drop(name);
    all.set(name, kept);
    bytes += kept.packed.length;
    for (const oldest of all.keys()) {
      if (bytes <= budgetBytes()) break;
      drop(oldest);
    }
  }

  function roomFor(kept: Kept, tokens: number): Uint8Array<ArrayBuffer> {
    if (tokens * bytesPerToken <= kept.packed.length) return kept.packed;
    const grown = new Uint8Array(Math.max(tokens, 2 * kept.tokens, firstTokens) * bytesPerToken);
    grown.set(kept.packed.subarray(0, kept.tokens * bytesPerToken));
    return grown;
  }

  return {
    get bytes() {
      return bytes;
    },
    keep(at, position, payload) {
      const before = all.get(nameOf(at));
      const isJoined = before && position >= before.from && position <= before.from + before.tokens;
      const kept = isJoined
        ? { ...before, tokens: position - before.from }
        : { ...at, from: position, tokens: 0, packed: new Uint8Array(0) };
      const tokens = kept.tokens + payload.length / bytesPerToken;
      const packed = roomFor(kept, tokens);
      packed.set(payload, kept.tokens * bytesPerToken);
      put({ ...kept, tokens, packed });
    },
    read(at, position, tokens) {
      const kept = all.get(nameOf(at));
      if (!kept || position < kept.from || position + tokens > kept.from + kept.tokens) return null;
      const start = position - kept.from;
      return kept.packed.slice(start * bytesPerToken, (start + tokens) * bytesPerToken);
    },
    fork(from, to, length) {
      for (const kept of [...all.values()]) {
        if (kept.sequence !== from || kept.from > 0 || kept.tokens < length) continue;
        const packed = kept.packed.slice(0, length * bytesPerToken);
        put({ ...kept, sequence: to, tokens: length, packed });
      }
    },
    release(sequence) {
      for (const [name, kept] of all) if (kept.sequence === sequence) drop(name);
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
