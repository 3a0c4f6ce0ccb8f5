/** A lower bound on the whole cost of a lap that has visited some devices. */
import type { UniformRoom } from './room.ts';

export interface RemainingBound {
  /**
   * All block times, the transfers to and from devices not yet visited, and the return; not the transfers
   * made so far. Each visited member has at least one block. The transfers of a device not yet visited are
   * divided among the blocks that it could hold.
   */
  leastMs: (visited: ArrayLike<number>) => number;
  /**
   * To add if the lap is on this kind: the transfer out of it. Negative if the last visit may be without a
   * block (it has the head) or if the lap may have returned.
   */
  standingMs: number[];
}

export function remainingBound(room: UniformRoom): RemainingBound {
  const { kindCount, capacity, blockMs, count, sourceKind } = room;
  const { wayInMs, wayOutMs, homeMs } = transferPotentials(room);
  const headMs = Math.min(
    ...room.headMs.map((ms, kind) => (room.capacityWithHead[kind] < 0 ? Infinity : ms)),
  );
  const fastest = Math.min(...blockMs.filter((_, kind) => capacity[kind] > 0));
  const items = blockMs
    .flatMap((ms, kind) => [
      { kind, isNew: false, ms },
      {
        kind,
        isNew: true,
        ms: ms + (wayInMs[kind] + wayOutMs[kind]) / Math.max(1, capacity[kind]),
      },
    ])
    .filter(({ kind, ms }) => capacity[kind] > 0 && Number.isFinite(ms))
    .sort((a, b) => a.ms - b.ms);
  const itemKind = Int32Array.from(items, ({ kind }) => kind);
  const itemIsNew = Uint8Array.from(items, ({ isNew }) => Number(isNew));
  const itemMs = Float64Array.from(items, ({ ms }) => ms);

  return {
    standingMs: blockMs.map((ms, kind) => {
      const outMs = kind === sourceKind ? -homeMs : wayOutMs[kind];
      return outMs - (room.hasHead ? Math.max(0, ms - fastest) : 0);
    }),
    leastMs: (visited) => {
      let left = room.blocks;
      let ms = room.pinnedMs + homeMs + headMs;
      for (let kind = 0; kind < kindCount; kind++) {
        if (kind === sourceKind || capacity[kind] <= 0) continue;
        left -= visited[kind];
        ms += visited[kind] * blockMs[kind];
      }
      for (let item = 0; item < itemMs.length && left > 0; item++) {
        const kind = itemKind[item];
        const held = kind === sourceKind ? 0 : visited[kind];
        const spare = itemIsNew[item]
          ? (count[kind] - visited[kind]) * capacity[kind]
          : visited[kind] * capacity[kind] - held;
        const take = Math.min(left, spare);
        left -= take;
        ms += take * itemMs[item];
      }
      return left > 0 ? Infinity : ms;
    },
  };
}

interface TransferPotentials {
  /** Every transfer costs at least its sender's way out plus its receiver's way in. None is negative. */
  wayInMs: number[];
  wayOutMs: number[];
  /** The same for the return to the source. */
  homeMs: number;
}

/**
 * Splits the price of every transfer between its ends, so that each device that a lap visits can be charged
 * separately: a feasible dual of the assignment problem. Which split is best depends on the room, so a few
 * are tried.
 */
function transferPotentials(room: UniformRoom): TransferPotentials {
  return [0, 0.25, 0.5, 0.75, 1]
    .map((share) => splitTransfers(room, share))
    .map((split) => ({
      split,
      totalMs: room.count.reduce(
        (sum, count, kind) => sum + count * (split.wayInMs[kind] + split.wayOutMs[kind]),
        split.homeMs,
      ),
    }))
    .reduce((best, next) => (next.totalMs > best.totalMs ? next : best)).split;
}

function splitTransfers(room: UniformRoom, share: number): TransferPotentials {
  const { kindCount, hopMs, returnMs, sourceKind, count } = room;
  const kinds = room.blockMs.map((_, kind) => kind);
  const hop = (from: number, to: number) =>
    from === to && count[from] < 2 ? Infinity : hopMs[from * kindCount + to];
  /** Any finite number bounds a missing link; a moderate one keeps the sums exact. */
  const atMost = (ms: number) => Math.min(ms, 1e6);
  const halfInMs = kinds.map((to) =>
    to === sourceKind ? 0 : share * atMost(Math.min(...kinds.map((from) => hop(from, to)))),
  );
  const wayOutMs = kinds.map((from) => {
    if (from === sourceKind) return 0;
    const onward = Math.min(...kinds.map((to) => hop(from, to) - halfInMs[to]));
    return atMost(Math.max(0, Math.min(onward, returnMs[from])));
  });
  const wayInMs = kinds.map((to) =>
    to === sourceKind
      ? 0
      : atMost(Math.max(0, Math.min(...kinds.map((from) => hop(from, to) - wayOutMs[from])))),
  );
  const homeMs = Math.min(
    ...kinds
      .filter((kind) => kind !== sourceKind)
      .map((kind) => Math.min(returnMs[kind], hop(kind, sourceKind)) - wayOutMs[kind]),
  );
  return { wayInMs, wayOutMs, homeMs: Number.isFinite(homeMs) ? Math.max(0, homeMs) : 0 };
}
