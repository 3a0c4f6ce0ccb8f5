/** A real link whose other end, once proven, says whatever it likes. */
import { channelsOf } from '../../src/transport/channels.ts';
import { memoryPair } from '../../src/transport/fixtures/memory-connection.ts';
import { openLink, type Link } from '../../src/transport/index.ts';

export interface HostileLink {
  /** False once the near end has ended it. */
  readonly isOpen: boolean;
  /** Straight onto a channel, as no honest device would. */
  say(channel: 'control' | 'tokens' | 'bulk', data: string | Uint8Array<ArrayBuffer>): void;
  /** As an honest device would: only what is inside is hostile. */
  far: Link;
  /** Has all arrive that is on its way. */
  deliver: () => void;
  close(): void;
}

export const roomKey = new Uint8Array(32).fill(9);
let made = 0;

/** `accept` takes the near end of the connection and opens a link there. */
export async function openHostileLink(
  version: number,
  accept: (connection: RTCPeerConnection) => unknown,
): Promise<HostileLink> {
  const own = (++made).toString(16).padStart(64, '0');
  const { dialler, acceptor, deliver } = memoryPair({ dialler: own, acceptor: 'f'.repeat(64) });
  const opening = openLink(dialler, { peerId: 'near', key: roomKey, version });
  const [far] = await Promise.all([opening, accept(acceptor)]);
  // Whoever answers has taken the link up.
  await far.ping();
  let isOpen = true;
  far.onClosed(() => (isOpen = false));
  far.onControl(() => undefined);
  far.onBulk(() => undefined);
  far.onFrame(() => undefined);
  return {
    far,
    deliver,
    get isOpen() {
      return isOpen;
    },
    say(channel, data) {
      channelsOf(dialler)[channel].send(data);
      deliver();
    },
    close() {
      far.close('enough');
      deliver();
    },
  };
}

/** The near end of a link, opened as every device opens one. */
export function openNear(connection: RTCPeerConnection, version: number): Promise<Link> {
  return openLink(connection, { peerId: 'far', key: roomKey, version });
}
