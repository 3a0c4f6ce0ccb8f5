/**
 * Cuts a growing text into pieces fit to be read aloud: whole sentences, so that a screen reader is
 * neither interrupted at every token nor silent until the end.
 */

/**
 * The end of the last sentence complete in `text` after `from`; `from` itself if there is none yet. The
 * blank after its full stop must have come: "3." may yet become "3.5". A very long sentence is cut at a
 * blank. When the text is `finished`, everything left counts.
 */
export function spokenUntil(text: string, from: number, finished: boolean): number {
  if (finished) return text.length;
  const fresh = text.slice(from);
  let end = 0;
  for (const sentence of fresh.matchAll(/[.!?…。!?]+["'”’)\]]*\s+|\n+|[。!?]/g))
    end = sentence.index + sentence[0].length;
  if (end === 0 && fresh.length > longestWait) end = fresh.lastIndexOf(' ') + 1;
  return from + end;
}

const longestWait = 240;
