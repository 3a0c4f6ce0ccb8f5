import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createViewStore, newView, type ViewStore } from '../room/view-store.ts';
import { drawnCalmly } from './drawn-calmly.ts';

let store: ViewStore;
let drawn: number[];
let stop: () => void;
let page: { hidden: boolean };
/** How long a frame takes to be laid out and painted. */
let paintMs: number;

/** A token more: its answer's text grows. */
function change(): void {
  store.update({ answers: [...store.view.answers] });
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  page = { hidden: false };
  paintMs = 0;
  vi.stubGlobal('document', page);
  // Sixty a second.
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => setTimeout(draw, 16));
  vi.stubGlobal('cancelAnimationFrame', clearTimeout);
  // What a page tells itself comes when the frame is painted.
  vi.stubGlobal(
    'MessageChannel',
    class {
      port1 = { onmessage: (): void => undefined, close: (): void => undefined };
      port2 = { postMessage: () => setTimeout(() => this.port1.onmessage(), paintMs) };
    },
  );
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
    { painting: 0, least: 14, most: 20 },
    { painting: 2, least: 8, most: 10 },
    { painting: 12, least: 3, most: 4 },
  ])(
    'is drawn at most $most times a second where painting takes $painting ms, and then shows the latest',
    ({ painting, least, most }) => {
      paintMs = painting;
      // The first drawings tell how long one takes.
      for (let ms = 0; ms < 8000; ms += 5) {
        if (ms === 7000) drawn.length = 0;
        change();
        vi.advanceTimersByTime(5);
      }
      expect(drawn.length).toBeGreaterThanOrEqual(least);
      expect(drawn.length).toBeLessThanOrEqual(most);
      vi.advanceTimersByTime(300);
      const count = drawn.length;
      vi.advanceTimersByTime(1000);
      expect(drawn).toHaveLength(count);
    },
  );

  it('is drawn in a idle moment, and at no other moment, while tokens go round', () => {
    const idleMoments: number[] = [];
    for (let token = 0; token < 200; token++) {
      // None was known before the first.
      if (token === 1) drawn.length = 0;
      change();
      vi.advanceTimersByTime(4);
      idleMoments.push(performance.now());
      store.idle();
      vi.advanceTimersByTime(3);
    }
    expect(drawn.length).toBeGreaterThanOrEqual(4);
    expect(drawn.filter((ms) => !idleMoments.includes(ms))).toEqual([]);
  });

  it('is drawn less often in lulls, too, where painting takes long', () => {
    paintMs = 12;
    for (let token = 0; token < 800; token++) {
      // The first drawings tell how long one takes.
      if (token === 600) drawn.length = 0;
      change();
      vi.advanceTimersByTime(3);
      store.idle();
      vi.advanceTimersByTime(2);
    }
    expect(drawn.length).toBeGreaterThanOrEqual(3);
    expect(drawn.length).toBeLessThanOrEqual(4);
  });

  it('is drawn at once when more than text and figures change', () => {
    paintMs = 12;
    for (let ms = 0; ms < 3000; ms += 5) {
      change();
      store.idle();
      vi.advanceTimersByTime(5);
    }
    store.notice('A device left.');
    const saidMs = performance.now();
    drawn.length = 0;
    for (let ms = 0; ms < 70; ms += 5) {
      change();
      vi.advanceTimersByTime(5);
    }
    expect(drawn.filter((ms) => ms - saidMs <= 66).length).toBeGreaterThanOrEqual(1);
  });

  it('does not wait for a idle moment for long', () => {
    store.idle();
    change();
    vi.advanceTimersByTime(130);
    expect(drawn).toHaveLength(1);
  });

  it('leaves a hidden page to the browser', () => {
    page.hidden = true;
    vi.advanceTimersByTime(100);
    change();
    store.idle();
    expect(drawn).toEqual([]);
  });
});
