/**
 * The way to a PeerServer that needs no socket: its messages come as server-sent events, ours go by POST. A stream
 * that breaks is opened again under the same name.
 */
import * as v from 'valibot';
import type { LinkError } from './link-error.ts';
import { parseJson } from './link-message.ts';
import { makePeerId } from './signalling.ts';
import { idTaken, serverRefused, serverUnreachable } from './signalling-error.ts';

/** A PeerServer's message; what it carries is another device's and is checked by whoever it is for. */
const ServerMessageSchema = v.object({
  type: v.pipe(v.string(), v.maxLength(32)),
  src: v.optional(v.pipe(v.string(), v.maxLength(64))),
  payload: v.optional(v.unknown()),
});

export type ServerMessage = v.InferOutput<typeof ServerMessageSchema>;

export interface ServerStream {
  /** Sends a message, after those before it. What cannot be sent is lost, as over a socket that breaks. */
  send(message: { type: string; dst?: string; payload?: unknown }): void;
  /** Resolves if the server was lost for longer than it is waited for. */
  lost: Promise<LinkError>;
  close(): void;
}

export interface ServerStreamOptions {
  id: string;
  deadlineMs: number;
  giveUpAfterMs: number;
  onMessage: (message: ServerMessage) => void;
}

/** PeerServer forgets a device that says nothing for a minute and a half. */
const heartbeatMs = 20_000;
const heartbeat = JSON.stringify({ type: 'HEARTBEAT' });
const firstRetryMs = 500;
const longestRetryMs = 10_000;

/** `url` is the PeerServer's. Rejects with a `LinkError` (`signalling-failed`) if it is not reached, or refuses the id. */
export async function openServerStream(
  url: URL,
  { id, deadlineMs, giveUpAfterMs, onMessage }: ServerStreamOptions,
): Promise<ServerStream> {
  const token = makePeerId();
  const query = new URLSearchParams({ key: 'peerjs', id, token, answers: 'yes' });
  const address = `${url.href.replace(/\/$/, '')}/events?${query.toString()}`;
  let source: EventSource | null = null;
  let lostAt: number | null = null;
  let retryMs = firstRetryMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<unknown> = Promise.resolve();
  const ending = new AbortController();
  let giveUp: (error: LinkError) => void = () => undefined;
  let take = onMessage;
  const lost = new Promise<LinkError>((resolve) => (giveUp = resolve));

  function open(): void {
    clearTimeout(timer);
    source?.close();
    const own = new EventSource(address);
    source = own;
    own.onopen = () => {
      lostAt = null;
      retryMs = firstRetryMs;
    };
    own.onmessage = ({ data }: MessageEvent<string>) => {
      const message = v.safeParse(ServerMessageSchema, parseJson(data));
      if (message.success) take(message.output);
    };
    // Asked whether it is still there: somebody else wants its name. Not behind what waits to be sent.
    own.addEventListener('ask', () => void post(heartbeat).catch(() => undefined));
    own.onerror = () => {
      own.close();
      if (source === own && !ending.signal.aborted) openAgain();
    };
  }

  function openAgain(): void {
    lostAt ??= performance.now();
    if (performance.now() - lostAt > giveUpAfterMs) {
      close();
      giveUp(serverUnreachable(url));
      return;
    }
    timer = setTimeout(open, retryMs);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }

  function send(message: { type: string }): void {
    sending = sending.then(() => post(JSON.stringify(message))).catch(() => undefined);
  }

  async function post(body: string): Promise<void> {
    const { signal } = ending;
    const { status } = await fetch(address, { method: 'POST', body, signal });
    // The server knows of no stream of ours, whatever the browser believes.
    if (status === 404 && lostAt === null) open();
  }

  function close(): void {
    ending.abort();
    clearTimeout(timer);
    clearInterval(heartbeats);
    source?.close();
  }

  const heartbeats = setInterval(() => send({ type: 'HEARTBEAT' }), heartbeatMs);
  addEventListener('online', () => open(), { signal: ending.signal });
  try {
    await new Promise<void>((resolve, reject) => {
      const tooLate = setTimeout(() => reject(serverUnreachable(url)), deadlineMs);
      take = (message) => {
        clearTimeout(tooLate);
        take = onMessage;
        if (message.type === 'OPEN') resolve();
        else reject(message.type === 'ID-TAKEN' ? idTaken() : serverRefused(url, message.type));
      };
      open();
    });
  } catch (error) {
    close();
    throw error;
  }
  return { send, lost, close };
}
