import { expect, it, vi } from 'vitest';
import type { Room, RoomView } from '../room/index.ts';
import { newView } from '../room/view-store.ts';
import { comeBackFromPageCache } from './page-cache.ts';
import type { Place } from './session.svelte.ts';

function pageIn(place: Place) {
  const session = { place };
  const page = Object.assign(new EventTarget(), { location: { reload: vi.fn() } });
  comeBackFromPageCache(session, page as never);
  const dispatch = (type: string, persisted: boolean): void =>
    void page.dispatchEvent(Object.assign(new Event(type), { persisted }));
  return { session, reload: page.location.reload, dispatch };
}

function placeOf(role: 'host' | 'device', phase: RoomView['phase']): Place {
  const view = { ...newView(role, ''), phase };
  const room = {} as Room;
  return role === 'host'
    ? { kind: 'host', room: room as never, view }
    : { kind: 'device', room, view, link: '', options: {} as never };
}

const closed = { kind: 'closed', reason: 'This page was left.' } as const;

it.each([
  ['a host', placeOf('host', { kind: 'open' })],
  ['a device', placeOf('device', { kind: 'open' })],
  ['a host that is still opening', placeOf('host', { kind: 'starting', step: '' })],
  ['a device at the door', placeOf('device', { kind: 'knocking', code: '' })],
])('loads the page anew where it was %s’s', (_, place) => {
  const { session, reload, dispatch } = pageIn(place);
  dispatch('pagehide', true);
  // Leaving ended the room.
  if (session.place.kind !== 'start') session.place.view = { ...session.place.view, phase: closed };
  dispatch('pageshow', true);
  expect(reload).toHaveBeenCalledOnce();
});

it.each([
  ['the page was loaded, not kept', placeOf('host', { kind: 'open' }), false],
  ['the room was closed before', placeOf('host', closed), true],
  ['the person had left the room', placeOf('device', closed), true],
  ['no room was open', { kind: 'start' } as const, true],
])('leaves the page alone where %s', (_, place, persisted) => {
  const { reload, dispatch } = pageIn(place);
  dispatch('pagehide', persisted);
  dispatch('pageshow', persisted);
  expect(reload).not.toHaveBeenCalled();
});

it('leaves the page alone when it is shown for the first time', () => {
  const { reload, dispatch } = pageIn(placeOf('host', { kind: 'open' }));
  dispatch('pageshow', false);
  expect(reload).not.toHaveBeenCalled();
});
