/** Which room this tab is in, if any: the one piece of state that the whole page turns on. */
import { flushSync } from 'svelte';
import { drawnCalmly } from './drawn-calmly.ts';
import type {
  AskRequest,
  DeviceOptions,
  HostOptions,
  HostRoom,
  Room,
  RoomRecord,
  RoomView,
} from '../room/index.ts';

/** How rooms are made; the gallery and tests bring their own. */
export interface RoomMakers {
  openRoom(options: HostOptions, record?: RoomRecord): HostRoom;
  joinRoom(link: string, options: DeviceOptions): Room;
}

export type Place =
  | { kind: 'start' }
  | { kind: 'host'; room: HostRoom; view: RoomView }
  | { kind: 'device'; room: Room; view: RoomView; link: string; options: DeviceOptions };

export interface Session {
  readonly place: Place;
  /** Opens a room in place of whatever this tab was in. Throws what the room's maker throws. */
  openRoom(options: HostOptions, record?: RoomRecord): HostRoom;
  joinRoom(link: string, options: DeviceOptions): Room;
  /** Ends or leaves the room; its last screen stays until `toStart`. */
  leave(): void;
  toStart(): void;
  /** Asks the room. How it went is on the view, a failure included. */
  ask(request: AskRequest): void;
  /** Stops a running answer, whoever asked through this page. */
  stop(answerId: number): void;
}

export function createSession(makers: RoomMakers): Session {
  let place = $state.raw<Place>({ kind: 'start' });
  let endSubscription = (): void => undefined;

  function settle(next: Place): void {
    endSubscription();
    if (place.kind !== 'start' && place.view.phase.kind !== 'closed') place.room.close();
    place = next;
    if (next.kind === 'start') {
      endSubscription = () => undefined;
      return;
    }
    endSubscription = drawnCalmly(next.room, (view) => {
      // At once: what Svelte puts off to a task of its own could come when the idle moment is over.
      flushSync(() => {
        if (place.kind !== 'start' && place.room === next.room) place = { ...place, view };
      });
    });
  }

  return {
    get place() {
      return place;
    },
    openRoom(options, record) {
      const room = makers.openRoom(options, record);
      settle({ kind: 'host', room, view: room.view });
      return room;
    },
    joinRoom(link, options) {
      const room = makers.joinRoom(link, options);
      settle({ kind: 'device', room, view: room.view, link, options });
      return room;
    },
    leave() {
      if (place.kind !== 'start') place.room.close();
    },
    toStart() {
      settle({ kind: 'start' });
    },
    ask(request) {
      if (place.kind === 'start') return;
      // The room puts the reason on the answer's own card; the promise is for callers without a screen.
      place.room.ask(request).done.catch(() => undefined);
    },
    stop(answerId) {
      if (place.kind !== 'start') place.room.stop(answerId);
    },
  };
}
