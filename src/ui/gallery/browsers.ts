/** What a browser may offer a room: everything, and nothing. */
import type { Capabilities } from '../preflight/capabilities.ts';

export const able: Capabilities = {
  secureContext: true,
  webGpu: 'hardware',
  threads: 4,
  crossOriginIsolated: true,
  webRtc: true,
  relay: 'reached',
  storage: 'kept',
  wakeLock: true,
  sound: true,
  hidden: false,
};

export const unable: Capabilities = {
  secureContext: false,
  webGpu: 'none',
  threads: 1,
  crossOriginIsolated: false,
  webRtc: false,
  relay: 'none',
  storage: 'refused',
  wakeLock: false,
  sound: false,
  hidden: true,
};
