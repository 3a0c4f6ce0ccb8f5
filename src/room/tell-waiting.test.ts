import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pauseOrigin } from '../base/http/asking/origin-turns.ts';
import { tellWaiting } from './tell-waiting.ts';
import { createViewStore, newView } from './view-store.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

describe('tellWaiting', () => {
  it('says it as the step of a room on its way, which then goes on', async () => {
    const store = createViewStore(newView('host', 'Looking at the model'));
    const ending = new AbortController();
    tellWaiting(store, ending.signal);
    pauseOrigin('https://hub-1.example', 40_000);
    const step = 'hub-1.example is busy; asking again in 40 s.';
    expect(store.view.phase).toEqual({ kind: 'starting', step });
    await vi.advanceTimersByTimeAsync(40_000);
    expect(store.view.phase).toEqual({ kind: 'starting', step: 'Looking at the model' });
    ending.abort();
    pauseOrigin('https://hub-1.example', 40_000);
    expect(store.view.phase).toEqual({ kind: 'starting', step: 'Looking at the model' });
  });

  it('says it as a notice in a room that is open', () => {
    const store = createViewStore({ ...newView('device', ''), phase: { kind: 'open' } });
    tellWaiting(store, new AbortController().signal);
    pauseOrigin('https://hub-2.example', 3000);
    expect(store.view.notices.map(({ text }) => text)).toEqual([
      'hub-2.example is busy; asking again in 3 s.',
    ]);
    expect(store.view.phase).toEqual({ kind: 'open' });
  });
});
