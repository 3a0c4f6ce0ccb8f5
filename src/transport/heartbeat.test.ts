import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHeartbeat } from './heartbeat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a heartbeat with a deadline of 4 s', () => {
  function start(answer: () => boolean) {
    const silences: number[] = [];
    let doubts = 0;
    let questions = 0;
    const heartbeat = createHeartbeat({
      deadlineMs: 4000,
      ask: () => {
        questions++;
        if (answer()) setTimeout(() => heartbeat.heard(), 20);
      },
      onDoubt: () => doubts++,
      onSilence: (ms) => silences.push(ms),
    });
    return { heartbeat, silences, questions: () => questions, doubts: () => doubts };
  }

  it('reports the silence of a device that stopped answering, within the deadline and one question', () => {
    let alive = true;
    const { silences } = start(() => alive);
    vi.advanceTimersByTime(10_000);
    expect(silences).toEqual([]);
    alive = false;
    vi.advanceTimersByTime(3000);
    expect(silences).toEqual([]);
    vi.advanceTimersByTime(3000);
    expect(silences).toHaveLength(1);
    expect(silences[0]).toBeLessThanOrEqual(5000);
  });

  it('doubts a device that does not answer from half of the deadline on', () => {
    const { doubts, silences } = start(() => false);
    vi.advanceTimersByTime(1900);
    expect(doubts()).toBe(0);
    vi.advanceTimersByTime(1200);
    expect(doubts()).toBe(2);
    expect(silences).toEqual([]);
  });

  it('leaves silence alone while it rests, and counts from anew after', () => {
    const { heartbeat, silences } = start(() => false);
    vi.advanceTimersByTime(3000);
    heartbeat.rest(true);
    vi.advanceTimersByTime(30_000);
    expect(silences).toEqual([]);
    heartbeat.rest(false);
    vi.advanceTimersByTime(3000);
    expect(silences).toEqual([]);
    vi.advanceTimersByTime(3000);
    expect(silences).toHaveLength(1);
  });

  it('asks nothing while things are heard anyway', () => {
    const { heartbeat, questions } = start(() => true);
    for (let second = 0; second < 20; second++) {
      vi.advanceTimersByTime(500);
      heartbeat.heard();
    }
    expect(questions()).toBe(0);
  });

  it('does not blame others for its own freeze', () => {
    const { silences } = start(() => true);
    vi.advanceTimersByTime(2000);
    // The clock jumps and no timer ran meanwhile, as after a laptop's sleep.
    vi.setSystemTime(Date.now() + 60_000);
    const frozen = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => frozen + 60_000 + (Date.now() % 1));
    vi.advanceTimersByTime(1000);
    vi.restoreAllMocks();
    expect(silences).toEqual([]);
  });

  it('follows a new deadline', () => {
    const { heartbeat, silences } = start(() => false);
    heartbeat.setDeadline(400);
    vi.advanceTimersByTime(600);
    expect(silences).toHaveLength(1);
  });

  it('falls silent itself once stopped', () => {
    const { heartbeat, silences, questions } = start(() => false);
    heartbeat.stop();
    vi.advanceTimersByTime(60_000);
    expect([silences.length, questions()]).toEqual([0, 0]);
  });
});
