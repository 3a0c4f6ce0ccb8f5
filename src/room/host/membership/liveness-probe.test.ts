import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAnsweringLink, type AnsweringLink } from '../../fixtures/answering-link.ts';
import {
  createLivenessProbe,
  longestMs,
  shortestMs,
  type LivenessProbe,
} from './liveness-probe.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function open(
  answerMs: number | null,
  canDoWithout = () => true,
): { far: AnsweringLink; probe: LivenessProbe; events: string[] } {
  const far = createAnsweringLink(answerMs);
  const events: string[] = [];
  const probe = createLivenessProbe(far.link, {
    goWithout() {
      if (!canDoWithout()) return false;
      events.push('gone');
      return true;
    },
    onBack: (awayMs) => events.push(`back after ${awayMs} ms`),
  });
  return { far, probe, events };
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('a device that is asked', () => {
  it('and answers is asked once, and nothing comes of it', async () => {
    const { far, probe, events } = open(20);
    probe.ask();
    await pass(60_000);
    expect([far.asked, events]).toEqual([1, []]);
  });

  it('and does not is done without within a second, told once, asked until its link ends', async () => {
    const { far, probe, events } = open(null);
    probe.ask();
    probe.ask();
    await pass(shortestMs - 1);
    expect([far.asked, events]).toEqual([4, []]);
    await pass(1);
    expect(events).toEqual(['gone']);
    await pass(3000);
    expect(events).toEqual(['gone']);
    const { asked } = far;
    far.end();
    await pass(60_000);
    probe.ask();
    expect(far.asked).toBe(asked);
  });

  it('is given three times as long as its slowest answer of late', async () => {
    const { far, probe, events } = open(700);
    probe.ask();
    await pass(800);
    far.answerMs = null;
    probe.ask();
    // Three times its slowest answer, not a second.
    await pass(3 * 700 - 1);
    expect(events).toEqual([]);
    await pass(1);
    expect(events).toEqual(['gone']);
  });

  it('is given no more time than its link gives it, however slow it was', async () => {
    const { far, probe, events } = open(1900);
    probe.ask();
    await pass(3000);
    expect(events).toEqual(['gone', 'back after 1900 ms']);
    far.answerMs = null;
    probe.ask();
    await pass(longestMs - 1);
    expect(events).toHaveLength(2);
    await pass(1);
    expect(events).toHaveLength(3);
  });

  it('forgets that an answer was slow', async () => {
    const { far, probe, events } = open(700);
    probe.ask();
    await pass(700);
    far.answerMs = 5;
    for (let time = 0; time < 16; time++) {
      probe.ask();
      await pass(5);
    }
    far.answerMs = null;
    probe.ask();
    await pass(shortestMs);
    expect(events).toEqual(['gone']);
  });

  it('comes back when it answers: it was frozen, or its connection was made anew', async () => {
    const { far, probe, events } = open(null);
    probe.ask();
    await pass(3000);
    far.answerMs = 0;
    await pass(1);
    expect(events).toEqual(['gone', 'back after 3000 ms']);
    await pass(60_000);
    expect(events).toHaveLength(2);
  });

  it('may pause for a moment, as pages do that tidy their memory', async () => {
    const { far, probe, events } = open(null);
    probe.ask();
    await pass(800);
    far.answerMs = 0;
    await pass(60_000);
    expect(events).toEqual([]);
  });

  it('is waited for as long as nothing runs without it', async () => {
    let canDoWithout = false;
    const { far, probe, events } = open(null, () => canDoWithout);
    probe.ask();
    await pass(3000);
    expect(events).toEqual([]);
    canDoWithout = true;
    await pass(250);
    expect(events).toEqual(['gone']);
    far.end();
  });

  it('is not blamed for the time that this page itself stood still', async () => {
    const { probe, events } = open(null);
    probe.ask();
    await pass(800);
    // The clock jumps and no timer ran meanwhile: the fourth question was due long ago.
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 10_000);
    await pass(200);
    expect(events).toEqual([]);
    await pass(250);
    expect(events).toEqual(['gone']);
  });
});
