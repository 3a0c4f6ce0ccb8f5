import type { LinkStats } from './types.ts';

/** A link's figures when it opens. */
export function newLinkStats(): LinkStats {
  return {
    framesSent: 0,
    framesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    duplicateSlices: 0,
    roundTripMs: null,
    quality: null,
    sendsTwice: false,
    striped: false,
    relayed: null,
    connections: 1,
    interruptions: 0,
    lastInterruptionMs: null,
    resentSlices: 0,
  };
}
