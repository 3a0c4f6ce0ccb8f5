/** When the page is drawn anew while a room changes with every token. */
import type { Room } from '../room/room.ts';
import type { RoomView } from '../room/view.ts';

/** Twenty times a second reads as a steady stream; sixty would take twice as much from the tokens' time. */
const steadyMs = 50;
/** Nobody reads along with a hundred tokens a second, and each of them is short beside a drawing. */
const fastMs = 150;
const fastChangeMs = 10;
/** How much the last change counts in what changes are apart. */
const newest = 0.1;

/** How long a drawing that is due waits for a lull, in a tab that has had one lately. */
const longestWaitMs = 50;
const latelyMs = 250;

/**
 * A room may change with every token, and a drawing takes as long as a small stage: at a bad moment it holds the
 * token up. So it is drawn at most so often, and while this tab waits for others where it does.
 */
export function drawnCalmly(
  room: Pick<Room, 'view' | 'subscribe' | 'onLull'>,
  draw: (view: RoomView) => void,
): () => void {
  let isDue = false;
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastMs = -Infinity;
  let lastLullMs = -Infinity;
  let lastChangeMs = -Infinity;
  /** What changes are apart, of late. */
  let changeMs = fastChangeMs;

  function noteChange(nowMs: number): void {
    // After a pause it is slow at first, whatever it was before.
    const apartMs = Math.min(nowMs - lastChangeMs, latelyMs);
    changeMs += newest * (apartMs - changeMs);
    lastChangeMs = nowMs;
  }

  function nextMs(): number {
    return lastMs + (changeMs < fastChangeMs ? fastMs : steadyMs);
  }

  function drawNow(): void {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    timer = undefined;
    frame = 0;
    isDue = false;
    lastMs = performance.now();
    draw(room.view);
  }

  function drawNextFrame(): void {
    timer = undefined;
    frame = requestAnimationFrame(drawNow);
  }

  const endSubscription = room.subscribe(() => {
    const nowMs = performance.now();
    noteChange(nowMs);
    if (isDue) return;
    isDue = true;
    const restMs = nextMs() - nowMs;
    const waitMs = nowMs - lastLullMs < latelyMs ? Math.max(restMs, 0) + longestWaitMs : restMs;
    if (waitMs > 0) timer = setTimeout(drawNextFrame, waitMs);
    else drawNextFrame();
  });
  const endLulls = room.onLull(() => {
    const nowMs = performance.now();
    lastLullMs = nowMs;
    // A hidden page is drawn when it is seen again: its frames wait until then.
    if (isDue && nowMs >= nextMs() && !document.hidden) drawNow();
  });
  return () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    endSubscription();
    endLulls();
  };
}
