/** The host's messages in order, none lost between one reader and the next. */
import type { Link } from '../../transport/index.ts';
import { parseHostMessage, type HostMessage } from '../protocol.ts';

export interface Inbox {
  /** The next message. Rejects when the link ends, or the message is not valid. */
  next(): Promise<HostMessage>;
  /** Hands every further message to `handle`; what it throws, or an invalid message, goes to `fail`. */
  each(handle: (message: HostMessage) => void, fail: (reason: string) => void): void;
}

export function openInbox(host: Pick<Link, 'onControl' | 'onClosed'>): Inbox {
  const waiting: unknown[] = [];
  let read: (() => void) | null = null;

  host.onControl((message) => {
    waiting.push(message);
    read?.();
  });

  return {
    next: () =>
      new Promise((resolve, reject) => {
        host.onClosed((reason) => reject(new Error(reason)));
        read = () => {
          if (waiting.length === 0) return;
          read = null;
          try {
            resolve(parseHostMessage(waiting.shift()));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        read();
      }),
    each(handle, fail) {
      read = () => {
        while (waiting.length > 0) {
          try {
            handle(parseHostMessage(waiting.shift()));
          } catch (error) {
            fail(error instanceof Error ? error.message : String(error));
          }
        }
      };
      read();
    },
  };
}
