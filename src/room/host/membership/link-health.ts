/** Shows when the connection to a member breaks and is made anew, which the answers wait for. */
import { nameOf, type Member } from './members.ts';

export interface LinkHealthOptions {
  notice: (sentence: string) => void;
  onShown: () => void;
}

/** Nobody misses a device for less. */
const worthSayingMs = 1000;

export function followLink(member: Member, { notice, onShown }: LinkHealthOptions): void {
  const { link } = member;
  link?.onInterrupted(() => {
    member.isInterrupted = true;
    onShown();
  });
  link?.onResumed((tookMs) => {
    member.isInterrupted = false;
    // The room goes on without a device that is away, and says when it has come back.
    if (tookMs >= worthSayingMs && !member.isAway)
      notice(
        `${nameOf(member)} was away for ${(tookMs / 1000).toFixed(1)} s and is connected again.`,
      );
    onShown();
  });
}
