import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { madeUpProfile } from '../../fixtures/engine-room.ts';
import { measuredMember } from '../../fixtures/members.ts';
import { createLink } from '../../fixtures/recorded-link.ts';
import type { MeasuredMember } from '../membership/members.ts';
import { createStragglers, type Stragglers } from './stragglers.ts';

let phone: MeasuredMember;
/** How much slower than it measured the phone's laps show it to be. */
let factor: number;
let notices: string[];
let asked: number;
let stragglers: Stragglers;
let ending: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  phone = measuredMember('a', { link: createLink(), compute: { blockMs: 2 } });
  phone.layers = [{ first: 3, last: 6 }];
  factor = 1;
  notices = [];
  asked = 0;
  ending = new AbortController();
  stragglers = createStragglers({
    members: new Map([[phone.id, phone]]),
    calibrated: (_, profile) => {
      const compute = { ...profile.compute, blockMs: profile.compute.blockMs * factor };
      return { ...profile, compute };
    },
    measureAgain: () => asked++,
    onNotice: (sentence) => notices.push(sentence),
    onMeasured: () => (factor = 1),
    signal: ending.signal,
  });
});

afterEach(() => {
  ending.abort();
  vi.useRealTimers();
});

function slowedTo(slowness: number): void {
  factor = slowness;
  stragglers.look();
}

const measuredAt = (blockMs: number): void =>
  stragglers.measured(phone, { ...madeUpProfile, blockMs });

it('tells of a device that is much slower, once, and once when it is not', () => {
  for (const slowness of [1, 1.9, 3.1, 2.5, 1.6, 3, 1.2, 1.9]) slowedTo(slowness);
  expect(notices).toEqual([
    'Device a (a) is 3.1 times slower than before; its blocks may move to faster devices.',
    'Device a (a) is as fast as before.',
  ]);
});

it('asks nothing of a device that makes laps, by which it is known', async () => {
  slowedTo(5);
  await vi.advanceTimersByTimeAsync(3600_000);
  expect(asked).toBe(0);
});

it('asks one without layers to measure again, less and less often while it stays slow', async () => {
  slowedTo(5);
  phone.layers = [];
  const askedAtS: number[] = [];
  for (let second = 0; second < 1000; second += 5) {
    const before = asked;
    await vi.advanceTimersByTimeAsync(5000);
    if (asked === before) continue;
    askedAtS.push(second + 5);
    measuredAt(10);
  }
  expect(askedAtS).toEqual([30, 90, 210, 450, 930]);
  expect(phone.profile.compute.blockMs).toBe(10);
});

it('takes it for what it is once it is fast again', async () => {
  slowedTo(5);
  phone.layers = [];
  await vi.advanceTimersByTimeAsync(30_000);
  measuredAt(2.1);
  expect(notices.at(-1)).toBe('Device a (a) is as fast as before.');
  expect(phone.profile.compute.blockMs).toBe(2.1);
  await vi.advanceTimersByTimeAsync(3600_000);
  expect(asked).toBe(1);
});

it('waits while its page is hidden, and asks as soon as it is visible again', async () => {
  slowedTo(5);
  phone.layers = [];
  stragglers.visibilityChanged(phone, true);
  await vi.advanceTimersByTimeAsync(3600_000);
  expect(asked).toBe(0);
  stragglers.visibilityChanged(phone, false);
  expect(asked).toBe(1);
});

it('plans by no figures that it did not ask for', () => {
  measuredAt(0.001);
  slowedTo(5);
  measuredAt(0.001);
  expect(phone.profile.compute.blockMs).toBe(2);
});

it('asks one question at a time, and again after a device that was busy', async () => {
  slowedTo(5);
  phone.layers = [];
  await vi.advanceTimersByTimeAsync(3600_000);
  expect(asked).toBe(1);
  stragglers.measured(phone, null);
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toBe(2);
});
