/** How a link's first connection came about: further connections to the same device go by it. */
import { introductionOf, type Introduction } from './introduction.ts';
import type { OpenLinkOptions } from './types.ts';

export interface LinkOrigin {
  /** Null where no signalling of this module made the connection: then it is the only one. */
  introduction: Introduction | null;
  /** Whether this side dialled. */
  dialled: boolean;
  /** How the first connection was proven; the others must be the same device's. */
  admission: Admission;
}

export type Admission = OpenLinkOptions & { expectedFingerprint: string };

export function originOf(
  connection: RTCPeerConnection,
  fingerprint: string,
  options: OpenLinkOptions,
): LinkOrigin {
  return {
    introduction: introductionOf(connection),
    dialled: connection.localDescription?.type === 'offer',
    admission: { ...options, expectedFingerprint: fingerprint },
  };
}
