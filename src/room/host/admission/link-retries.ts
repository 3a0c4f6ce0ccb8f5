/** Introduces two devices that found no path to each other again, after a time that grows with each try. */
import { linkBetween, type Member, pairOf } from '../membership/index.ts';

export interface LinkRetries {
  /** The two find no path to each other now. */
  apart(a: Member, b: Member): void;
}

export interface LinkRetriesOptions {
  members: ReadonlyMap<string, Member>;
  /** Has them look for a path. If they find none, `apart` is called again. */
  introduce: (a: Member, b: Member) => void;
}

const firstMs = 20_000;
const longestMs = 10 * 60_000;

export function createLinkRetries(options: LinkRetriesOptions): LinkRetries {
  const { members, introduce } = options;
  /** How often each pair has been introduced again, and which pairs wait for the next time. */
  const times = new Map<string, number>();
  const waiting = new Set<string>();

  function isApart(a: Member, b: Member): boolean {
    const areHere = [a, b].every((member) => members.get(member.id) === member);
    return areHere && linkBetween(a, b) === null;
  }

  return {
    apart(a, b) {
      const pair = pairOf(a.id, b.id);
      if (waiting.has(pair)) return;
      waiting.add(pair);
      const before = times.get(pair) ?? 0;
      times.set(pair, before + 1);
      setTimeout(
        () => {
          waiting.delete(pair);
          if (isApart(a, b)) introduce(a, b);
        },
        Math.min(firstMs * 2 ** before, longestMs),
      );
    },
  };
}
