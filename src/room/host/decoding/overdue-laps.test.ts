import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAnsweringLink, type AnsweringLink } from '../../fixtures/answering-link.ts';
import { stagesOf } from '../../fixtures/engine-room.ts';
import { runningOn } from '../../fixtures/made-up-plans.ts';
import { measuredMember } from '../../fixtures/members.ts';
import { createLiveness } from '../membership/liveness.ts';
import { createRoomEvents } from '../membership/room-events.ts';
import type { LapRunner, TripResult } from './lap-runner.ts';
import { watchLaps } from './overdue-laps.ts';
import type { Member } from '../membership/members.ts';
import type { CacheRebuilds } from '../kv-cache/cache-rebuilds.ts';
import { watchRebuilds } from '../kv-cache/watched-rebuilds.ts';

const running = runningOn({ planVersion: 1, stages: stagesOf('host:0-1,a:2-3,b:4-5,host:6') });
const trip = { sequence: 1, position: 0, ids: [1], logitsOf: 1, chunk: 8 };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

interface Watched {
  laps: LapRunner;
  rebuilds: Pick<CacheRebuilds, 'rebuildMissing'>;
  /** What laps take; never to come round for Infinity. */
  room: { lapMs: number };
  links: { a: AnsweringLink; b: AnsweringLink };
  members: Map<string, Member>;
  events: string[];
}

function open(lapMs = 20): Watched {
  const room = { lapMs };
  const links = { a: createAnsweringLink(), b: createAnsweringLink() };
  const members = new Map<string, Member>([
    ['host', measuredMember('host')],
    ['a', measuredMember('a', { link: links.a.link })],
    ['b', measuredMember('b', { link: links.b.link })],
  ]);
  const events: string[] = [];
  const roomEvents = createRoomEvents();
  roomEvents.on('away', ({ id }) => events.push(`${id} is away`));
  roomEvents.on('back', ({ id }, awayMs) => events.push(`${id} is back after ${awayMs} ms`));
  const liveness = createLiveness({ members, events: roomEvents });
  liveness.goOnWhere(() => true);
  const travel = (): Promise<TripResult> =>
    new Promise((resolve) => {
      const { lapMs: tookMs } = room;
      const result = { logits: new Float32Array(0), timing: { lapMs: tookMs, hops: [] } };
      if (tookMs < Infinity) setTimeout(() => resolve(result), tookMs);
    });
  const inner: Pick<LapRunner, 'run'> = { run: travel };
  const rebuilding: Pick<CacheRebuilds, 'rebuildMissing'> = {
    rebuildMissing: () => new Promise(() => undefined),
  };
  return {
    laps: watchLaps(inner as LapRunner, liveness),
    rebuilds: watchRebuilds(rebuilding as CacheRebuilds, liveness),
    room,
    links,
    members,
    events,
  };
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function runs({ laps, room }: Watched, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const lap = laps.run(running, trip);
    await pass(room.lapMs);
    await lap;
  }
}

function asked({ links }: Watched): number[] {
  return [links.a.asked, links.b.asked];
}

describe('a lap that does not come round', () => {
  it('has its devices asked after three usual laps, and is done without the one that is gone', async () => {
    const watched = open();
    await runs(watched, 3);
    watched.room.lapMs = Infinity;
    watched.links.b.answerMs = null;
    void watched.laps.run(running, trip);
    await pass(59);
    expect(asked(watched)).toEqual([0, 0]);
    await pass(1);
    expect(asked(watched)).toEqual([1, 1]);
    await pass(999);
    expect(watched.events).toEqual([]);
    await pass(1);
    expect(watched.events).toEqual(['b is away']);
    expect(watched.members.get('b')?.isAway).toBe(true);
    watched.links.b.answerMs = 0;
    await pass(0);
    expect(watched.events).toEqual(['b is away', 'b is back after 1000 ms']);
    expect(watched.members.get('b')?.isAway).toBe(false);
  });

  it('blames nobody who answers: a long prompt, a first run that compiles', async () => {
    const watched = open();
    await runs(watched, 1);
    watched.room.lapMs = 30_000;
    const lap = watched.laps.run(running, { ...trip, ids: Array.from({ length: 500 }, () => 1) });
    await pass(30_000);
    await lap;
    expect(watched.events).toEqual([]);
    // Once a second.
    expect(asked(watched)).toEqual([30, 30]);
    await pass(60_000);
    expect(asked(watched)).toEqual([30, 30]);
  });

  it('is not thought long because one of the last laps was', async () => {
    const watched = open(2000);
    await runs(watched, 1);
    watched.room.lapMs = 20;
    await runs(watched, 2);
    const before = asked(watched);
    watched.room.lapMs = Infinity;
    void watched.laps.run(running, trip);
    await pass(60);
    expect(asked(watched)).toEqual(before.map((count) => count + 1));
  });

  it('is the first: its devices are asked after a second', async () => {
    const watched = open(Infinity);
    void watched.laps.run(running, trip);
    await pass(999);
    expect(asked(watched)).toEqual([0, 0]);
    await pass(1);
    expect(asked(watched)).toEqual([1, 1]);
  });
});

it('laps that come round in time have nobody asked', async () => {
  const watched = open();
  await runs(watched, 5);
  await pass(60_000);
  expect(asked(watched)).toEqual([0, 0]);
});

it('a cache rebuild that an answer waits for is watched like a lap', async () => {
  const watched = open();
  watched.links.a.answerMs = null;
  void watched.rebuilds.rebuildMissing(running, { sequence: 1, ids: [], upTo: 0 });
  await pass(2000);
  expect(watched.events).toEqual(['a is away']);
});
