/**
 * When a link's connection seems broken: finds out, by way of the server that introduced the two, whether the other
 * device is still there, and if it is, has a new way to it found (`path-attempts.ts`). The side that dialled does so;
 * the other asks it to.
 */
import * as v from 'valibot';
import type { Introduction } from './introduction.ts';
import type { LinkOrigin } from './link-origin.ts';
import { NegotiationSchema } from './negotiation.ts';
import { createPathAttempts } from './path-attempts.ts';

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
  origin: LinkOrigin & { introduction: Introduction };
  /** How long to try, from when it is known that the other device is there. */
  resumeMs: number;
  connection: () => RTCPeerConnection;
  /** Says a word over the connection, to find out whether it works again. */
  ask: () => void;
  outcomes: RecoveryOutcomes;
}

export interface RecoveryOutcomes {
  /** The other device is there, the connection is not: from now on nothing gets through. */
  onInterrupted: () => void;
  /** The connection works again: the two can tell each other what they have. */
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
  const { origin, outcomes } = options;
  const { introduction, dialled } = origin;
  let topic: string | null = null;
  let stopListening = (): void => undefined;
  let state: State = { kind: 'well' };
  let isClosed = false;
  /** Whether `onPath` was called for the connection as it is now. */
  let pathSaid = false;
  const attempts = createPathAttempts({
    origin,
    connection: options.connection,
    post,
    onConnection(connection) {
      outcomes.onConnection(connection);
      sayPath();
    },
  });

  function post(message: PostMessage): void {
    if (topic !== null) introduction.post(topic, message);
  }

  function receive(raw: unknown): void {
    const parsed = v.safeParse(PostSchema, raw);
    if (!parsed.success || isClosed) return;
    isThere();
    const message = parsed.output;
    if (message.kind === 'broken') {
      if (!dialled) return;
      interrupted();
      attempts.begin();
      return;
    }
    const isOffered = !dialled && message.signal.kind === 'offer';
    if (isOffered || state.kind === 'doubting') interrupted();
    attempts.take(message);
  }

  function isThere(): void {
    if (state.kind !== 'interrupted') return;
    clearTimeout(state.absence);
    state.absence = setTimeout(outcomes.onGivenUp, presenceMs);
  }

  /** The other side was heard of by way of the server: it is there. */
  function interrupted(): void {
    if (state.kind === 'interrupted') return;
    state = {
      kind: 'interrupted',
      giveUp: setTimeout(outcomes.onGivenUp, options.resumeMs),
      absence: setTimeout(outcomes.onGivenUp, presenceMs),
      asking: setInterval(options.ask, askEveryMs),
    };
    pathSaid = false;
    outcomes.onInterrupted();
  }

  function sayPath(): void {
    pathSaid = true;
    outcomes.onPath();
  }

  function over(): void {
    if (state.kind === 'interrupted') {
      clearTimeout(state.giveUp);
      clearTimeout(state.absence);
      clearInterval(state.asking);
    }
    state = { kind: 'well' };
    attempts.stop();
  }

  return {
    listen(name) {
      stopListening();
      topic = name;
      stopListening = introduction.onPost(name, receive);
    },
    doubt() {
      if (isClosed || topic === null) return;
      if (!dialled) post({ kind: 'broken' });
      if (state.kind !== 'well') return;
      state = { kind: 'doubting' };
      if (dialled) attempts.begin();
    },
    heard() {
      if (state.kind === 'doubting') over();
      if (state.kind === 'interrupted' && !pathSaid) sayPath();
    },
    resumed: over,
    close() {
      over();
      isClosed = true;
      attempts.close();
      stopListening();
    },
  };
}
