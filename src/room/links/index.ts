/** The face of the links: this device's connections to the others. */
export { measuredLink } from './measured-link.ts';
export { createPeers, type Peers } from './peers.ts';
export { relayServers } from './relay-servers.ts';
