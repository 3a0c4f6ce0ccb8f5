/**
 * When a link's connection seems broken: finds out, by way of the server that introduced the two, whether the other
 * device is still there, and if it is, makes a new network path under the connection (an ICE restart), or else a
 * new connection, which proves itself like the first. The side that dialled does so; the other asks it to.
 */
import * as v from 'valibot';
import { admit } from './admit.ts';
import { channelsOf } from './channels.ts';
import type { Introduction } from './introduction.ts';
import { NegotiationSchema, negotiate, type Negotiation } from './negotiation.ts';
import type { OpenLinkOptions } from './types.ts';

export interface Recovery {
  /** The name by which the two find each other; needed before anything else. */
  listen(topic: string): void;
  /** The connection seems broken. May be called again and again. */
  doubt(): void;
  /** Something came over the connection. */
  heard(): void;
  /** The two have told each other what they have: all is well again. */
  resumed(): void;
  close(): void;
}

export interface RecoveryOptions {
  introduction: Introduction;
  dialled: boolean;
  admission: OpenLinkOptions & { expectedFingerprint: string };
  /** How long to try, from when it is known that the other device is there. */
  resumeMs: number;
  connection: () => RTCPeerConnection;
  /** The other device is there, the connection is not: from now on nothing gets through. */
  onInterrupted: () => void;
  /** Says a word over the connection, to find out whether it works again. */
  ask: () => void;
  /** It does: the two can tell each other what they have. */
  onPath: () => void;
  /** A new connection to the same device, proven. `onPath` follows. */
  onConnection: (connection: RTCPeerConnection) => void;
  onGivenUp: () => void;
}

const PostSchema = v.variant('kind', [
  /** Asks the side that dialled to look into it. */
  v.strictObject({ kind: v.literal('broken') }),
  v.strictObject({ kind: v.literal('restart'), signal: NegotiationSchema }),
  v.strictObject({
    kind: v.literal('redial'),
    attempt: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000)),
    signal: NegotiationSchema,
  }),
]);

type PostMessage = v.InferOutput<typeof PostSchema>;

/** Between questions over an interrupted connection. */
const askEveryMs = 250;
/** How long a new path under the old connection may take: SCTP may wait some seconds by itself before it speaks again. */
const restartMs = 800;
const redialMs = 5000;
const answerMs = 1200;
const redialAgainMs = 500;
/** A device that is there tries, or answers, more often than this; one that was never heard again has gone meanwhile. */
const presenceMs = 6000;

type State =
  | { kind: 'well' }
  /** Waiting to hear from the other side, by whichever way. */
  | { kind: 'doubting' }
  | {
      kind: 'interrupted';
      giveUp: ReturnType<typeof setTimeout>;
      /** Ends the same way, if the other side is not heard of again. */
      absence: ReturnType<typeof setTimeout>;
      asking: ReturnType<typeof setInterval>;
    };

export function createRecovery(options: RecoveryOptions): Recovery {
  const { introduction, dialled, admission } = options;
  const ending = new AbortController();
  let topic: string | null = null;
  let stopListening = (): void => undefined;
  let state: State = { kind: 'well' };
  /** Of the attempt that is under way; aborted when it is over. */
  let attempt = new AbortController();
  let restart: Negotiation | null = null;
  let redial: { attempt: number; negotiation: Negotiation } | null = null;
  let attempts = 0;
  /** The connection that an attempt led to; the others end with their attempt. */
  let adopted: RTCPeerConnection | null = null;
  /** Of the attempts that go on until one of them leads somewhere. */
  let trying = AbortSignal.abort();
  /** Whether `onPath` was called for the connection as it is now. */
  let pathSaid = false;

  function post(message: PostMessage): void {
    if (topic !== null) introduction.post(topic, message);
  }

  function receive(raw: unknown): void {
    const parsed = v.safeParse(PostSchema, raw);
    if (!parsed.success || ending.signal.aborted) return;
    isThere();
    const message = parsed.output;
    switch (message.kind) {
      case 'broken':
        if (!dialled) return;
        interrupted();
        void tryAll();
        return;
      case 'restart':
        if (!dialled && message.signal.kind === 'offer') {
          interrupted();
          restart = restarting(newAttempt());
        } else if (state.kind === 'doubting') interrupted();
        restart?.receive(message.signal);
        return;
      case 'redial':
        if (!dialled && message.signal.kind === 'offer') {
          interrupted();
          void acceptRedial(message.attempt);
        } else if (state.kind === 'doubting') interrupted();
        if (redial?.attempt === message.attempt) redial.negotiation.receive(message.signal);
        return;
    }
  }

  function isThere(): void {
    if (state.kind !== 'interrupted') return;
    clearTimeout(state.absence);
    state.absence = setTimeout(options.onGivenUp, presenceMs);
  }

  /** The other side was heard of by way of the server: it is there. */
  function interrupted(): void {
    if (state.kind === 'interrupted') return;
    state = {
      kind: 'interrupted',
      giveUp: setTimeout(options.onGivenUp, options.resumeMs),
      absence: setTimeout(options.onGivenUp, presenceMs),
      asking: setInterval(options.ask, askEveryMs),
    };
    pathSaid = false;
    options.onInterrupted();
  }

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
      send: (message) => post({ kind: 'restart', signal: message }),
      fingerprint: admission.expectedFingerprint,
      signal,
    });
  }

  async function dialAgain(signal: AbortSignal): Promise<void> {
    const { connection, negotiation } = begin(attempts++, signal);
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
    const { connection } = begin(number, signal);
    await prove(connection, signal).catch(() => undefined);
  }

  function begin(
    number: number,
    signal: AbortSignal,
  ): { connection: RTCPeerConnection; negotiation: Negotiation } {
    const connection = new RTCPeerConnection(introduction.configuration);
    channelsOf(connection);
    const negotiation = negotiate(connection, {
      send: (message) => post({ kind: 'redial', attempt: number, signal: message }),
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
    pathSaid = true;
    options.onPath();
  }

  function over(): void {
    if (state.kind === 'interrupted') {
      clearTimeout(state.giveUp);
      clearTimeout(state.absence);
      clearInterval(state.asking);
    }
    state = { kind: 'well' };
    attempt.abort();
  }

  return {
    listen(name) {
      stopListening();
      topic = name;
      stopListening = introduction.onPost(name, receive);
    },
    doubt() {
      if (ending.signal.aborted || topic === null) return;
      if (!dialled) post({ kind: 'broken' });
      if (state.kind !== 'well') return;
      state = { kind: 'doubting' };
      if (dialled) void tryAll();
    },
    heard() {
      if (state.kind === 'doubting') over();
      if (state.kind !== 'interrupted' || pathSaid) return;
      pathSaid = true;
      options.onPath();
    },
    resumed: over,
    close() {
      over();
      ending.abort();
      stopListening();
    },
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
