/** Shows when the connection to a member breaks and is made anew, which the answers wait for. */
import { nameOf, type Member } from './members.ts';

export interface LinkHealthOptions {
  notice: (sentence: string) => void;
  onShown: () => void;
}

/** Shorter interruptions are not worth a notice. */
const worthSayingMs = 1000;

export function followLink(member: Member, { notice, onShown }: LinkHealthOptions): void {
  const { link } = member;
  link?.onInterrupted(() => {
    member.isInterrupted = true;
    onShown();
  });
  link?.onResumed((tookMs) => {
    member.isInterrupted = false;
    // Where the room goes on without the device, another notice says that it is back.
    if (tookMs >= worthSayingMs && !member.isAway)
      notice(
        `${nameOf(member)} was away for ${(tookMs / 1000).toFixed(1)} s and is connected again.`,
      );
    onShown();
  });
}
