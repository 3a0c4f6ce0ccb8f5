/** The host's messages in order, none lost between one reader and the next. */
import { asError, errorMessage } from '../../../base/error-message.ts';
import type { Link } from '../../../transport/index.ts';
import { type HostMessage, parseHostMessage } from '../../protocol/index.ts';

/** All but the last word, which waits for no reader. */
export type InboxMessage = Exclude<HostMessage, { kind: 'ended' }>;

export interface Inbox {
  /** The next message. Rejects when the link ends, or the message is not valid. */
  next(): Promise<InboxMessage>;
  /** Hands every further message to `handle`; what it throws, or an invalid message, goes to `fail`. */
  each(handle: (message: InboxMessage) => void, fail: (reason: string) => void): void;
}

/** `onEnded` hears that this device's part is over, and why, as soon as the host says so. */
export function openInbox(
  host: Pick<Link, 'onControl' | 'onClosed'>,
  onEnded: (reason: string) => void,
): Inbox {
  const waiting: (InboxMessage | Error)[] = [];
  let read: (() => void) | null = null;

  host.onControl((raw) => {
    const message = parsedOrError(raw);
    if (message instanceof Error || message.kind !== 'ended') {
      waiting.push(message);
      read?.();
    } else onEnded(message.reason);
  });

  return {
    next: () =>
      new Promise((resolve, reject) => {
        host.onClosed((reason) => reject(new Error(reason)));
        read = () => {
          const message = waiting.shift();
          if (!message) return;
          read = null;
          if (message instanceof Error) reject(message);
          else resolve(message);
        };
        read();
      }),
    each(handle, fail) {
      read = () => {
        for (let message = waiting.shift(); message; message = waiting.shift()) {
          try {
            if (message instanceof Error) throw message;
            handle(message);
          } catch (error) {
            fail(errorMessage(error));
          }
        }
      };
      read();
    },
  };
}

function parsedOrError(raw: unknown): HostMessage | Error {
  try {
    return parseHostMessage(raw);
  } catch (error) {
    return asError(error);
  }
}
