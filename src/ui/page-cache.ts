/** What becomes of a room when the browser shows its page again after the person left it and pressed Back. */
import type { Session } from './session.svelte.ts';

interface Page {
  addEventListener: (
    type: 'pagehide' | 'pageshow',
    listener: (event: { persisted: boolean }) => void,
  ) => void;
  location: Pick<Location, 'reload'>;
}

/**
 * A browser may keep a page that is left and show it again as it was (HTML, `PageTransitionEvent`). Its links and its name
 * at the server were given up when it was left, so a page that was in a room loads itself anew: a host takes its room up
 * again, and a device joins again. Call this before any room is opened.
 */
export function comeBackFromPageCache(
  session: Pick<Session, 'place'>,
  page: Page = globalThis,
): void {
  let wasInRoom = false;
  // Heard before the room hears it, and ends.
  page.addEventListener('pagehide', () => {
    wasInRoom = session.place.kind !== 'start' && session.place.view.phase.kind !== 'closed';
  });
  page.addEventListener('pageshow', ({ persisted }) => {
    if (persisted && wasInRoom) page.location.reload();
  });
}
