/** The connections of a link: the first, which another takes the place of when it breaks, and the further ones. */
import { createBundle, type Bundle } from './bundle.ts';
import type { EmulatedNetwork } from './emulated-network.ts';
import { createLane, type Lane, type LaneInbox, type LaneWatch } from './lane.ts';
import { encodeLinkMessage, type LinkMessage } from './link-message.ts';
import type { LinkOrigin } from './link-origin.ts';
import { watchPath } from './path-watch.ts';
import type { LinkStats } from './types.ts';

export interface LinkLanes {
  /** The first connection, as it is now. */
  readonly primary: Lane;
  readonly bundle: Bundle;
  /** Over the first connection, in order. */
  say(message: LinkMessage): void;
  /** Hands over what comes over the first connection from here on. */
  listen(): void;
  /** Another connection, proven, takes the place of the first. */
  replace(connection: RTCPeerConnection): void;
}

export interface LinkLanesOptions {
  origin: LinkOrigin;
  network: EmulatedNetwork;
  stats: LinkStats;
  inbox: LaneInbox;
  /** Aborts when the link ends. */
  signal: AbortSignal;
  /** The first connection seems broken. */
  onDoubt: () => void;
  /** A further connection is there, or is no more: what it carried may have to be sent again. */
  onChange: (change: 'opened' | 'gone') => void;
}

export function createLinkLanes(first: RTCPeerConnection, options: LinkLanesOptions): LinkLanes {
  const { network, stats, inbox, onDoubt } = options;
  let primary = laneOver(first, { onDoubt, onGone: onDoubt });

  function laneOver(connection: RTCPeerConnection, watch: LaneWatch): Lane {
    return createLane(connection, { network, stats, inbox, watch });
  }

  function listen(): void {
    primary.listen();
    watchPath(primary.connection, (isRelayed) => (stats.relayed = isRelayed), options.signal);
  }

  const say = (message: LinkMessage): void => primary.sendControl(encodeLinkMessage(message));

  return {
    get primary() {
      return primary;
    },
    bundle: createBundle({
      origin: options.origin,
      say,
      makeLane: (connection, onGone) => laneOver(connection, { onDoubt: onGone, onGone }),
      onChange: options.onChange,
    }),
    say,
    listen,
    replace(connection) {
      primary.close();
      primary = laneOver(connection, { onDoubt, onGone: onDoubt });
      listen();
    },
  };
}
