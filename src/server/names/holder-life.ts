/** Whether the device that holds a name is still there: a device that lost its network says no goodbye. */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { EventSocket } from '../event-socket.ts';

/** Two ways to one device; both emit `close` once, and `message` for whatever it says. */
export type DeviceSocket = WebSocket | EventSocket;

/** A phone that wakes its radio answers within a second. */
const answerDeadlineMs = 2500;
const looksEveryMs = 100;

export function isOpen(socket: DeviceSocket): boolean {
  return socket instanceof EventSocket ? socket.isOpen : socket.readyState === WebSocket.OPEN;
}

/**
 * Asks for a sign of life, and resolves with whether there was one in time. A socket must answer a ping (RFC 6455,
 * 5.5.2), and any message tells as much. An event stream is asked where its page said that it answers; another counts
 * as there while it takes what is written to it. The time starts when the question is on its way, so that what others
 * send to a device does not make it look dead.
 *
 * @param connection what carries the socket, for seeing whether bytes still leave
 */
export function givesSignOfLife(socket: DeviceSocket, connection: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    let isOnItsWay = false;
    let waitsSinceMs = performance.now();
    let takenBytes = bytesTakenBy(connection);
    const emitter: EventEmitter = socket;
    const signs = ['pong', 'message'];

    const settle = (isThere: boolean): void => {
      clearInterval(watch);
      for (const sign of signs) emitter.off(sign, onSign);
      emitter.off('close', onClose);
      resolve(isThere);
    };
    const onSign = (): void => settle(true);
    const onClose = (): void => settle(false);

    const watch = setInterval(() => {
      const bytes = bytesTakenBy(connection);
      if (!isOnItsWay && bytes > takenBytes) waitsSinceMs = performance.now();
      takenBytes = bytes;
      if (performance.now() - waitsSinceMs < answerDeadlineMs) return;
      settle(isOnItsWay && !mustAnswer(socket));
    }, looksEveryMs);
    for (const sign of signs) emitter.on(sign, onSign);
    emitter.on('close', onClose);

    ask(socket, (error) => {
      if (error) settle(false);
      isOnItsWay = true;
      waitsSinceMs = performance.now();
    });
  });
}

function mustAnswer(socket: DeviceSocket): boolean {
  return socket instanceof EventSocket ? socket.answersQuestions : true;
}

function ask(socket: DeviceSocket, onWritten: (error?: Error | null) => void): void {
  if (socket instanceof EventSocket) socket.ask(onWritten);
  else socket.ping(undefined, undefined, onWritten);
}

/** What the system took over from this process. */
function bytesTakenBy(connection: Socket): number {
  return connection.bytesWritten - connection.writableLength;
}
