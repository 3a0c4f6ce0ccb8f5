import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createViewStore, newView, type ViewStore } from '../room/view-store.ts';
import { drawnCalmly } from './drawn-calmly.ts';

let store: ViewStore;
let drawn: number[];
let stop: () => void;
let page: { hidden: boolean };

/** What the room changes: its number of notices. */
function change(): void {
  store.notice('It changed.');
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  page = { hidden: false };
  vi.stubGlobal('document', page);
  // Sixty a second.
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => setTimeout(draw, 16));
  vi.stubGlobal('cancelAnimationFrame', clearTimeout);
  store = createViewStore(newView('host', ''));
  drawn = [];
  stop = drawnCalmly(store, () => void drawn.push(performance.now()));
  vi.advanceTimersByTime(20);
  drawn.length = 0;
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a page that is drawn calmly', () => {
  it('is drawn in the next frame when nothing computes', () => {
    vi.advanceTimersByTime(1000);
    change();
    vi.advanceTimersByTime(17);
    expect(drawn).toHaveLength(1);
  });

  it.each([
    { everyMs: 20, least: 12, most: 20 },
    { everyMs: 5, least: 5, most: 7 },
  ])(
    'is drawn at most $most times a second with changes every $everyMs ms, and then shows the latest',
    (rate) => {
      // What came before tells how fast changes come.
      for (let ms = 0; ms < 2000; ms += rate.everyMs) {
        if (ms === 1000) drawn.length = 0;
        change();
        vi.advanceTimersByTime(rate.everyMs);
      }
      expect(drawn.length).toBeGreaterThanOrEqual(rate.least);
      expect(drawn.length).toBeLessThanOrEqual(rate.most);
      vi.advanceTimersByTime(200);
      const count = drawn.length;
      vi.advanceTimersByTime(1000);
      expect(drawn).toHaveLength(count);
    },
  );

  it('is drawn in a lull, and at no other moment, while tokens go round', () => {
    const lulls: number[] = [];
    for (let token = 0; token < 200; token++) {
      // What came before tells how fast they go.
      if (token === 50) drawn.length = 0;
      change();
      vi.advanceTimersByTime(4);
      lulls.push(performance.now());
      store.lull();
      vi.advanceTimersByTime(3);
    }
    expect(drawn.length).toBeGreaterThanOrEqual(4);
    expect(drawn.filter((ms) => !lulls.includes(ms))).toEqual([]);
  });

  it('does not wait for a lull for long', () => {
    store.lull();
    change();
    vi.advanceTimersByTime(130);
    expect(drawn).toHaveLength(1);
  });

  it('leaves a hidden page to the browser', () => {
    page.hidden = true;
    vi.advanceTimersByTime(100);
    change();
    store.lull();
    expect(drawn).toEqual([]);
  });
});
