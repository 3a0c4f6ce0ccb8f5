/** Second visits to a device: which of them can make a lap cheaper, and how a search counts them. */
import type { UniformRoom } from './room.ts';

/** The most revisits of a kind that are counted. */
const mostRevisits = 7;

/**
 * A revisit is useful only if it costs less than a direct link or the direct return. Only a device that can
 * hold another block besides that of its first visit can be revisited.
 */
export function usefulRelays(room: UniformRoom): { from: number; to: number }[] {
  const { kindCount, hopMs, returnMs, capacity, sourceKind } = room;
  const canReturnTo = (kind: number) => capacity[kind] >= (kind === sourceKind ? 1 : 2);
  const kinds = Array.from({ length: kindCount }, (_, kind) => kind);
  return kinds
    .flatMap((from) => kinds.map((to) => ({ from, to, ms: hopMs[from * kindCount + to] })))
    .filter(
      ({ from, to, ms }) =>
        from !== to &&
        canReturnTo(to) &&
        Number.isFinite(ms) &&
        (ms + returnMs[to] < returnMs[from] ||
          kinds.some(
            (beyond) =>
              beyond !== to &&
              ms + hopMs[to * kindCount + beyond] < hopMs[from * kindCount + beyond],
          )),
    );
}

export interface RevisitCounter {
  /** The number of combinations of counted revisits; 1 if no kind is counted. */
  codes: number;
  /** The code after one more revisit of `kind`. */
  after: (code: number, kind: number) => number;
  /** The least blocks that each kind needs: one for each visit, except the source's first. */
  least: (counts: Uint16Array, code: number) => number[];
}

export function countRevisits({ sourceKind }: UniformRoom, counted: number[]): RevisitCounter {
  const radix = mostRevisits + 1;
  const strideOf = new Map(counted.map((kind, index) => [kind, radix ** index]));
  const digit = (code: number, stride: number) => Math.floor(code / stride) % radix;
  return {
    codes: radix ** counted.length,
    after: (code, kind) => {
      const stride = strideOf.get(kind);
      if (stride === undefined || digit(code, stride) === mostRevisits) return code;
      return code + stride;
    },
    least: (counts, code) =>
      Array.from(counts, (visits, kind) => {
        const stride = strideOf.get(kind);
        const again = stride === undefined ? 0 : digit(code, stride);
        return (kind === sourceKind ? 0 : visits) + again;
      }),
  };
}
