import { expect, it, vi } from 'vitest';
import type { DoorMode, DoorView } from '../../view.ts';
import { createDoor, type Door, type DoorRecord, type Visitor } from './door.ts';

const nothing: DoorRecord = { mode: 'open', known: [], banned: [] };

function newDoor(record: Partial<DoorRecord> = {}) {
  const views: DoorView[] = [];
  const door = createDoor({
    record: { ...nothing, ...record },
    fingerprint: 'aa',
    onView: (view) => views.push(view),
  });
  return { door, knocks: () => views.at(-1)?.knocks ?? [] };
}

function visitor(fingerprint: string, label = `Device ${fingerprint}`) {
  const told: unknown[] = [];
  const listeners: (() => void)[] = [];
  const end = (): void => {
    for (const listener of listeners) listener();
  };
  const close = vi.fn(end);
  const enter = vi.fn();
  const link: Visitor['link'] = {
    fingerprint,
    sendControl: (message) => told.push(message),
    close,
    onClosed(callback) {
      const listener = (): void => callback('gone', 'lost');
      listeners.push(listener);
      return () => undefined;
    },
  };
  return { link, label, enter, told, leave: end };
}

async function knocked(door: Door, knocks: () => DoorView['knocks'], ...names: string[]) {
  const visitors = names.map((name) => visitor(name));
  const before = knocks().length;
  for (const newcomer of visitors) door.knock(newcomer);
  await vi.waitFor(() => expect(knocks()).toHaveLength(before + names.length));
  return visitors;
}

const ended = (reason: string) => ({ kind: 'ended', reason });
const removed = ended('The host removed this device from the room.');
const locked = ended('The room is locked: ask the host to open it for new devices.');
const refused = ended('The host did not let this device in.');

it('lets everybody in while it is open', () => {
  const { door } = newDoor();
  const newcomer = visitor('b');
  door.knock(newcomer);
  expect(newcomer.enter).toHaveBeenCalledOnce();
  expect(newcomer.told).toEqual([]);
});

it('has newcomers wait for the host, who lets one in and turns one away', async () => {
  const { door, knocks } = newDoor({ mode: 'approve' });
  const [one, other] = await knocked(door, knocks, 'b', 'c');
  expect(knocks().map(({ label }) => label)).toEqual(['Device b', 'Device c']);
  expect(new Set(knocks().map(({ code }) => code)).size).toBe(2);
  expect(one.told).toEqual([{ kind: 'knocking' }]);
  expect(one.enter).not.toHaveBeenCalled();

  const [first, second] = knocks();
  door.decide(first.id, true);
  door.decide(second.id, false);
  door.decide(second.id, true);
  expect(one.enter).toHaveBeenCalledOnce();
  expect(other.enter).not.toHaveBeenCalled();
  expect(other.told.at(-1)).toEqual(refused);
  expect(other.link.close).toHaveBeenCalled();
  expect(knocks()).toEqual([]);
});

it('forgets who left before the host decided', async () => {
  const { door, knocks } = newDoor({ mode: 'approve' });
  const [newcomer] = await knocked(door, knocks, 'b');
  const [{ id }] = knocks();
  newcomer.leave();
  expect(knocks()).toEqual([]);
  door.decide(id, true);
  expect(newcomer.enter).not.toHaveBeenCalled();
});

it('keeps one knock of a device, its last', async () => {
  const { door, knocks } = newDoor({ mode: 'approve' });
  const [earlier] = await knocked(door, knocks, 'b');
  const [{ id }] = knocks();
  const again = visitor('b');
  door.knock(again);
  await vi.waitFor(() => expect(knocks().at(0)?.id).not.toBe(id));
  expect(knocks()).toHaveLength(1);
  expect(earlier.link.close).toHaveBeenCalled();
  door.decide(knocks()[0].id, true);
  expect(again.enter).toHaveBeenCalledOnce();
});

it.each<[DoorMode, 'in' | 'away']>([
  ['open', 'in'],
  ['locked', 'away'],
])('settles who waits when it becomes %s', async (mode, where) => {
  const { door, knocks } = newDoor({ mode: 'approve' });
  const [newcomer] = await knocked(door, knocks, 'b');
  door.setMode(mode);
  expect(newcomer.enter).toHaveBeenCalledTimes(where === 'in' ? 1 : 0);
  expect(newcomer.told.slice(1)).toEqual(where === 'in' ? [] : [locked]);
  expect(knocks()).toEqual([]);
});

it('turns newcomers away while it is locked, and lets those back in who were there', () => {
  const { door } = newDoor();
  const member = visitor('b');
  door.knock(member);
  door.setMode('locked');
  const stranger = visitor('c');
  door.knock(stranger);
  expect(stranger.enter).not.toHaveBeenCalled();
  expect(stranger.told).toEqual([locked]);
  const back = visitor('b');
  door.knock(back);
  expect(back.enter).toHaveBeenCalledOnce();
});

it('never lets a removed device in again, whatever the mode', () => {
  const { door } = newDoor();
  door.knock(visitor('b'));
  door.ban('b');
  expect(door.isBanned('b')).toBe(true);
  expect(door.isKnown('b')).toBe(false);
  for (const mode of ['open', 'approve', 'locked'] as const) {
    door.setMode(mode);
    const again = visitor('b');
    door.knock(again);
    expect(again.enter).not.toHaveBeenCalled();
    expect(again.told).toEqual([removed]);
  }
});

it('is the same door after the host was loaded anew', () => {
  const { door } = newDoor();
  door.knock(visitor('b'));
  door.knock(visitor('c'));
  door.ban('c');
  door.setMode('locked');
  const { door: again } = newDoor(structuredClone(door.record));
  expect(again.record).toEqual({ mode: 'locked', known: ['b'], banned: ['c'] });
  const member = visitor('b');
  again.knock(member);
  expect(member.enter).toHaveBeenCalledOnce();
  const banned = visitor('c');
  again.knock(banned);
  expect(banned.told).toEqual([removed]);
});

it('has only so many wait at once', async () => {
  const { door, knocks } = newDoor({ mode: 'approve' });
  await knocked(door, knocks, ...Array.from({ length: 16 }, (_, index) => `d${index}`));
  const late = visitor('late');
  door.knock(late);
  await vi.waitFor(() => expect(late.told).toHaveLength(1));
  expect(late.told).toEqual([ended('Too many devices wait at the door: try again in a moment.')]);
  expect(knocks()).toHaveLength(16);
});
