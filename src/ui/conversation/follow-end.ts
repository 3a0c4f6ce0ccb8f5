/**
 * Keeps a scrolling box at its end while text is added, unless the reader has scrolled away from it.
 * Use as `{@attach followEnd}`.
 */
export function followEnd(box: HTMLElement): () => void {
  let atEnd = true;
  const noticeScroll = (): void => {
    atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearPx;
  };
  const stayAtEnd = (): void => {
    if (atEnd) box.scrollTop = box.scrollHeight;
  };
  const growth = new MutationObserver(stayAtEnd);
  growth.observe(box, { childList: true, characterData: true, subtree: true });
  // Observing calls back at once, which brings a box that already has content to its end.
  const resizing = new ResizeObserver(stayAtEnd);
  resizing.observe(box);
  box.addEventListener('scroll', noticeScroll, { passive: true });
  return () => {
    growth.disconnect();
    resizing.disconnect();
    box.removeEventListener('scroll', noticeScroll);
  };
}

const nearPx = 48;
