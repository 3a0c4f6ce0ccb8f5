/**
 * Keeps a scrolling box at its end while text is added, unless the reader has scrolled away from it.
 * Use as `{@attach followEnd}`.
 */
export function followEnd(box: HTMLElement): () => void {
  let atEnd = true;
  const noticeScroll = (): void => {
    atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearPx;
  };
  const growth = new MutationObserver(() => {
    if (atEnd) box.scrollTop = box.scrollHeight;
  });
  box.addEventListener('scroll', noticeScroll, { passive: true });
  box.scrollTop = box.scrollHeight;
  growth.observe(box, { childList: true, characterData: true, subtree: true });
  return () => {
    growth.disconnect();
    box.removeEventListener('scroll', noticeScroll);
  };
}

const nearPx = 48;
