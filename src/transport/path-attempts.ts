/**
 * Attempts to reach a device again whose connection broke: a new network path under the connection (an ICE restart),
 * or else a new connection, which proves itself like the first.
 */
import { admit } from './admit.ts';
import { channelsOf } from './channels.ts';
import type { Introduction } from './introduction.ts';
import type { LinkOrigin } from './link-origin.ts';
import { negotiate, type Negotiation, type NegotiationMessage } from './negotiation.ts';

/** What the two sides of an attempt say to each other, by way of the server. */
export type AttemptMessage =
  | { kind: 'restart'; signal: NegotiationMessage }
  | { kind: 'redial'; attempt: number; signal: NegotiationMessage };

export interface PathAttempts {
  /** Tries until it is stopped. Does nothing while it tries. */
  begin(): void;
  /** The other side's word about a new path, or a new connection; an offer to the side that did not dial begins one. */
  take(message: AttemptMessage): void;
  /** Ends the attempt that is under way. */
  stop(): void;
  /** Ends every attempt, for good. */
  close(): void;
}

export interface PathAttemptsOptions {
  origin: LinkOrigin & { introduction: Introduction };
  /** The one that broke. */
  connection: () => RTCPeerConnection;
  post: (message: AttemptMessage) => void;
  /** A new connection to the same device, proven. */
  onConnection: (connection: RTCPeerConnection) => void;
}

/** How long a new path under the old connection may take: SCTP may wait some seconds by itself before it speaks again. */
const restartMs = 800;
const redialMs = 5000;
const answerMs = 1200;
const redialAgainMs = 500;

export function createPathAttempts(options: PathAttemptsOptions): PathAttempts {
  const { introduction, dialled, admission } = options.origin;
  const ending = new AbortController();
  /** Of the attempt that is under way; aborted when it is over. */
  let attempt = new AbortController();
  let restart: Negotiation | null = null;
  let redial: { attempt: number; negotiation: Negotiation } | null = null;
  let attempts = 0;
  /** The connection that an attempt led to; the others end with their attempt. */
  let adopted: RTCPeerConnection | null = null;
  /** Of the attempts that go on until one of them leads somewhere. */
  let trying = AbortSignal.abort();

  function newAttempt(): AbortSignal {
    attempt.abort();
    attempt = new AbortController();
    attempts++;
    return AbortSignal.any([attempt.signal, ending.signal]);
  }

  /** A new path first; a new connection, again and again, if that does not help. */
  async function tryAll(): Promise<void> {
    if (!trying.aborted) return;
    const signal = newAttempt();
    trying = signal;
    if (channelsOf(options.connection()).control.raw.readyState === 'open') {
      restart = restarting(signal);
      restart.offer({ iceRestart: true }).catch(() => undefined);
      await pause(restartMs, signal);
    }
    while (!signal.aborted) {
      await dialAgain(signal).catch(() => undefined);
      await pause(redialAgainMs, signal);
    }
  }

  function restarting(signal: AbortSignal): Negotiation {
    return negotiate(options.connection(), {
      send: (message) => options.post({ kind: 'restart', signal: message }),
      fingerprint: admission.expectedFingerprint,
      signal,
    });
  }

  async function dialAgain(signal: AbortSignal): Promise<void> {
    const { connection, negotiation } = newConnection(attempts++, signal);
    // A message by way of the server may be lost; another attempt is sooner made than this one waited for.
    const unanswered = new Promise<never>((_, reject) => {
      const giveUp = (): void => {
        connection.close();
        reject(new Error('the offer was not answered'));
      };
      const timer = setTimeout(giveUp, answerMs);
      negotiation.offer().then(() => clearTimeout(timer), giveUp);
    });
    await Promise.race([prove(connection, signal), unanswered]);
  }

  async function acceptRedial(number: number): Promise<void> {
    const signal = newAttempt();
    const { connection } = newConnection(number, signal);
    await prove(connection, signal).catch(() => undefined);
  }

  function newConnection(
    number: number,
    signal: AbortSignal,
  ): { connection: RTCPeerConnection; negotiation: Negotiation } {
    const connection = new RTCPeerConnection(introduction.configuration);
    channelsOf(connection);
    const negotiation = negotiate(connection, {
      send: (message) => options.post({ kind: 'redial', attempt: number, signal: message }),
      fingerprint: admission.expectedFingerprint,
      signal,
    });
    redial = { attempt: number, negotiation };
    signal.addEventListener('abort', () => {
      if (connection !== adopted) connection.close();
    });
    return { connection, negotiation };
  }

  async function prove(connection: RTCPeerConnection, signal: AbortSignal): Promise<void> {
    await admit(connection, { ...admission, deadlineMs: redialMs });
    if (signal.aborted) {
      connection.close();
      return;
    }
    adopted = connection;
    attempt.abort();
    options.onConnection(connection);
  }

  return {
    begin: () => void tryAll(),
    take(message) {
      const begins = !dialled && message.signal.kind === 'offer';
      if (message.kind === 'restart') {
        if (begins) restart = restarting(newAttempt());
        restart?.receive(message.signal);
      } else {
        if (begins) void acceptRedial(message.attempt);
        if (redial?.attempt === message.attempt) redial.negotiation.receive(message.signal);
      }
    },
    stop: () => attempt.abort(),
    close: () => ending.abort(),
  };
}

/** Resolves early if the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
    if (signal.aborted) resolve();
  });
}
