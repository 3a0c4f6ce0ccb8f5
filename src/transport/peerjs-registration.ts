/** Being known to the PeerServer: at first, and again whenever the socket to it breaks. */
import type { Peer } from 'peerjs';
import type { LinkError } from './link-error.ts';
import {
  browserCannotConnect,
  idTaken,
  serverRefused,
  serverUnreachable,
} from './signalling-error.ts';

const firstRetryMs = 500;
const longestRetryMs = 10_000;

export interface Registration {
  /** Resolves when the server knows this device; rejects if it does not within the deadline. */
  ready(deadlineMs: number): Promise<void>;
  /** Resolves if the server was lost and has not come back. */
  lost: Promise<LinkError>;
  /** Stops trying. */
  stop(): void;
}

/** Resolves once the server has accepted this device's id. */
export async function register(
  peer: Peer,
  serverUrl: URL,
  { deadlineMs, giveUpAfterMs }: { deadlineMs: number; giveUpAfterMs: number },
): Promise<Registration> {
  try {
    await opened(peer, serverUrl, deadlineMs);
  } catch (error) {
    peer.destroy();
    throw error;
  }
  return keepRegistered(peer, serverUrl, giveUpAfterMs);
}

function keepRegistered(peer: Peer, serverUrl: URL, giveUpAfterMs: number): Registration {
  let lostAt: number | null = null;
  let retryMs = firstRetryMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ending = new AbortController();
  const { signal } = ending;

  const lost = new Promise<LinkError>((resolve) => {
    const reconnect = (): void => {
      clearTimeout(timer);
      if (!signal.aborted && peer.disconnected && !peer.destroyed) peer.reconnect();
    };
    peer.on('open', () => {
      lostAt = null;
      retryMs = firstRetryMs;
    });
    peer.on('disconnected', () => {
      if (signal.aborted) return;
      lostAt ??= performance.now();
      if (performance.now() - lostAt > giveUpAfterMs) {
        ending.abort();
        resolve(serverUnreachable(serverUrl));
        return;
      }
      timer = setTimeout(reconnect, retryMs);
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    });
    addEventListener('online', reconnect, { signal });
  });

  return {
    lost,
    ready: (deadlineMs) => (peer.open ? Promise.resolve() : opened(peer, serverUrl, deadlineMs)),
    stop() {
      ending.abort();
      clearTimeout(timer);
    },
  };
}

function opened(peer: Peer, serverUrl: URL, deadlineMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error: LinkError | null): void => {
      clearTimeout(timer);
      peer.off('open', onOpen);
      peer.off('error', onError);
      if (error) reject(error);
      else resolve();
    };
    const onOpen = (): void => settle(null);
    const onError = (error: { type: string; message: string }): void =>
      settle(refusedBy(serverUrl, error));
    const timer = setTimeout(() => settle(serverUnreachable(serverUrl)), deadlineMs);
    peer.on('open', onOpen);
    peer.on('error', onError);
  });
}

function refusedBy(
  serverUrl: URL,
  { type, message }: { type: string; message: string },
): LinkError {
  switch (type) {
    case 'unavailable-id':
      return idTaken();
    case 'browser-incompatible':
      return browserCannotConnect();
    case 'network':
    case 'socket-error':
    case 'socket-closed':
    case 'server-error':
      return serverUnreachable(serverUrl);
    default:
      return serverRefused(serverUrl, message);
  }
}
