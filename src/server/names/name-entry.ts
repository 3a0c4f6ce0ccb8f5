/**
 * Who comes in under which name. PeerServer decides, and two cases are settled before it is asked: a device that comes
 * back takes the place of its own earlier connection, and a name whose holder is gone comes free at once.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { IClient } from 'peer';
import { givesSignOfLife, isOpen, type DeviceSocket } from './holder-life.ts';
import { readClaim } from './name-claim.ts';

export interface NameEntry {
  /** Hands a socket to PeerServer, at once or within some seconds. */
  enter(socket: DeviceSocket, request: IncomingMessage): void;
  /** PeerServer took a device in. */
  entered(client: IClient): void;
  /** PeerServer let a device go. */
  left(client: IClient): void;
}

/** However many ask for a name, its holder is asked no more often. */
const betweenQuestionsMs = 1000;

/** PeerServer's client, and the connection that carries its socket. */
interface Holder {
  client: IClient;
  socket: DeviceSocket;
  request: IncomingMessage;
  /** The question on its way, which all who wait for the name share. */
  question: Promise<boolean> | null;
  askedAtMs: number;
}

/** @param admit has PeerServer take the socket in, which it answers with OPEN, or refuse it */
export function createNameEntry(
  admit: (socket: DeviceSocket, request: IncomingMessage) => void,
): NameEntry {
  const arrivals = new WeakMap<object, { socket: DeviceSocket; request: IncomingMessage }>();
  const holders = new Map<string, Holder>();
  /** By name: a device is being put in another's place, and nobody may come between. */
  const changes = new Map<string, Promise<void>>();

  async function comeIn(socket: DeviceSocket, request: IncomingMessage): Promise<void> {
    const claim = readClaim(request);
    while (claim) {
      const { id } = claim;
      const change = changes.get(id);
      if (change) {
        await change;
        continue;
      }
      const holder = holders.get(id);
      if (!holder) break;
      if (holder.client.getToken() !== claim.token) {
        const keepsName = await isThere(holder);
        if (holders.get(id) !== holder || changes.has(id)) continue;
        if (keepsName) break;
      }
      // A device that gave up waiting takes nobody's place.
      if (!isOpen(socket)) return;
      const replaced = replace(holder, socket, request).finally(() => changes.delete(id));
      changes.set(id, replaced);
      await replaced;
      return;
    }
    if (isOpen(socket)) admit(socket, request);
  }

  async function replace(
    holder: Holder,
    socket: DeviceSocket,
    request: IncomingMessage,
  ): Promise<void> {
    await new Promise<void>((resolve) => {
      const emitter: EventEmitter = holder.socket;
      emitter.once('close', () => resolve());
      holder.socket.terminate();
    });
    if (isOpen(socket)) admit(socket, request);
  }

  function isThere(holder: Holder): Promise<boolean> {
    holder.question ??= ask(holder).finally(() => (holder.question = null));
    return holder.question;
  }

  async function ask(holder: Holder): Promise<boolean> {
    const restMs = holder.askedAtMs + betweenQuestionsMs - performance.now();
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    holder.askedAtMs = performance.now();
    return isOpen(holder.socket) && givesSignOfLife(holder.socket, holder.request.socket);
  }

  return {
    enter(socket, request) {
      arrivals.set(socket, { socket, request });
      comeIn(socket, request).catch(() => socket.terminate());
    },
    entered(client) {
      const arrival = arrivals.get(client.getSocket() ?? {});
      if (arrival)
        holders.set(client.getId(), { ...arrival, client, question: null, askedAtMs: -Infinity });
    },
    left(client) {
      if (holders.get(client.getId())?.client === client) holders.delete(client.getId());
    },
  };
}
