import { isSameStanding, standingOf } from './standing.ts';
import { inNextTask, type Room, type RoomView } from '../room/index.ts';

/** Twenty times a second reads as a steady stream; sixty would take three times as much from the tokens' time. */
const leastApartMs = 50;
/** Four times a second the text still seems to grow. */
const mostApartMs = 250;
/** Of this page's time drawing takes one part in so many, as far as the above allows: a token that meets it waits. */
const partsForTokens = 50;
/** How much the last drawing counts in what one takes. */
const newest = 0.2;

/** How long a drawing that is due waits for a idle moment, in a tab that has had one lately. */
const longestWaitMs = 50;
const latelyMs = 250;

/**
 * A room may change with every token, and a drawing takes as long as a small stage: at a bad moment it holds the
 * token up. So text and figures are drawn the less often the longer that takes, and while this tab waits for others
 * where it does. Whatever else changes is drawn at once.
 */
export function drawnCalmly(
  room: Pick<Room, 'view' | 'subscribe' | 'onIdle'>,
  draw: (view: RoomView) => void,
): () => void {
  let isDue = false;
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastMs = -Infinity;
  let lastIdleMs = -Infinity;
  /** As last drawn. */
  let standing: unknown[] = [];
  /** What a drawing takes of the page's thread, layout and paint included, of late. */
  let tookMs = 0;

  function nextMs(): number {
    return lastMs + Math.min(Math.max(partsForTokens * tookMs, leastApartMs), mostApartMs);
  }

  function learn(ms: number): void {
    tookMs += newest * (ms - tookMs);
  }

  function drawNow(): void {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    timer = undefined;
    frame = 0;
    isDue = false;
    lastMs = performance.now();
    standing = standingOf(room.view);
    draw(room.view);
  }

  function drawNextFrame(): void {
    timer = undefined;
    frame = requestAnimationFrame(() => {
      const beganMs = performance.now();
      drawNow();
      // The frame is laid out and painted in the rest of this task.
      inNextTask(() => learn(performance.now() - beganMs));
    });
  }

  function drawWhenIdle(): void {
    const beganMs = performance.now();
    drawNow();
    const drewMs = performance.now() - beganMs;
    requestAnimationFrame(() => {
      const frameMs = performance.now();
      inNextTask(() => learn(drewMs + performance.now() - frameMs));
    });
  }

  function drawAfter(waitMs: number): void {
    isDue = true;
    clearTimeout(timer);
    if (waitMs > 0) timer = setTimeout(drawNextFrame, waitMs);
    else drawNextFrame();
  }

  const endSubscription = room.subscribe((view) => {
    if (frame !== 0) return;
    const isUrgent = !isSameStanding(standing, standingOf(view));
    if (isDue && !isUrgent) return;
    const nowMs = performance.now();
    const hasIdleMoments = nowMs - lastIdleMs < latelyMs;
    if (isUrgent) drawAfter(lastMs + leastApartMs - nowMs);
    else drawAfter(Math.max(nextMs() - nowMs, 0) + (hasIdleMoments ? longestWaitMs : 0));
  });
  const endIdleMoments = room.onIdle(() => {
    const nowMs = performance.now();
    lastIdleMs = nowMs;
    // A hidden page is drawn when it is seen again: its frames wait until then.
    if (isDue && nowMs >= nextMs() && !document.hidden) drawWhenIdle();
  });
  return () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    endSubscription();
    endIdleMoments();
  };
}
