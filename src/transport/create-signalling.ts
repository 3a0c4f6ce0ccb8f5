/** Introductions by whichever way to the server works from this browser. */
import { createEventSignalling } from './event-signalling.ts';
import { createPeerJsSignalling } from './peerjs-signalling.ts';
import type { SignallingOptions } from './signalling.ts';
import type { Signalling } from './types.ts';

export interface AnySignallingOptions extends SignallingOptions {
  /** PeerJS's socket, server-sent events, or (unless told) the first that works. */
  by?: 'socket' | 'events' | 'either';
}

/** A socket that opens at all opens within a moment; one that a phone refuses may never say so. */
const socketDeadlineMs = 6000;

/**
 * Registers at the PeerServer by its socket, or, where a browser opens none (phones that refuse it behind a
 * self-made certificate), by server-sent events and POST. Rejects with a `LinkError` (`signalling-failed`).
 */
export async function createSignalling(options: AnySignallingOptions): Promise<Signalling> {
  const { by = 'either', deadlineMs = 15_000 } = options;
  switch (by) {
    case 'socket':
      return createPeerJsSignalling(options);
    case 'events':
      return createEventSignalling(options);
    case 'either': {
      try {
        return await createPeerJsSignalling({
          ...options,
          deadlineMs,
          openDeadlineMs: Math.min(deadlineMs, socketDeadlineMs),
        });
      } catch (socketError) {
        try {
          return await createEventSignalling(options);
        } catch {
          // Neither way works: the usual one's reason is the one to look into.
          throw socketError;
        }
      }
    }
  }
}
