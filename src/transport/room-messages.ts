/** What the room says over a link: each message comes once and in order, however many connections break meanwhile. */
import { createEvent, type Event } from './event.ts';
import type { Lane } from './lane.ts';
import { messageMissing } from './link-endings.ts';
import { encodeLinkMessage, type LinkMessage } from './link-message.ts';
import type { Outbox } from './outbox.ts';

export interface RoomMessages {
  send(message: unknown): void;
  /** Drops what came already, as after a connection made anew. @throws LinkError when one before it is missing */
  take(message: Extract<LinkMessage, { kind: 'room' }>): void;
  /** How many have come. */
  received(): number;
  on: Event<[message: unknown]>['on'];
}

export interface RoomMessagesOptions {
  /** Keeps them until the other side is known to have them. */
  outbox: Outbox;
  /** Null while the link waits for one. */
  connection: () => Lane | null;
}

export function createRoomMessages({ outbox, connection }: RoomMessagesOptions): RoomMessages {
  const came = createEvent<[message: unknown]>();
  let received = 0;
  return {
    send(message) {
      const number = outbox.numberMessage();
      const text = encodeLinkMessage({ kind: 'room', number, message });
      const lane = connection();
      outbox.keepMessage(number, text, lane ? [lane] : []);
      lane?.sendControl(text);
    },
    take({ number, message }) {
      if (number <= received) return;
      if (number > received + 1) throw messageMissing();
      received = number;
      came.emit(message);
    },
    received: () => received,
    on: came.on,
  };
}
