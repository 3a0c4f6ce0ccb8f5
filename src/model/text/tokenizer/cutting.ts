/** Cuts a text where a pattern matches. Source: `NormalizedString::split` of the tokenizers library (Rust). */

/** What becomes of a match, and of the text between matches. */
export const cutBehaviours = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
] as const;
export type CutBehaviour = (typeof cutBehaviours)[number];

/** A part of a text, by indices of UTF-16 code units. */
interface Part {
  start: number;
  end: number;
  isMatch: boolean;
}

/** @returns the parts that are left, in order, as start and end; none is empty */
export function cutRanges(
  text: string,
  pattern: RegExp,
  behaviour: CutBehaviour,
  invert: boolean,
): { start: number; end: number }[] {
  const parts = partsOf(text, pattern);
  if (invert) for (const part of parts) part.isMatch = !part.isMatch;
  return merged(parts, behaviour).filter(({ start, end }) => start < end);
}

function partsOf(text: string, pattern: RegExp): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const start = match.index;
    const end = start + match[0].length;
    if (start === end && isInsidePair(text, start)) continue;
    if (from < start) parts.push({ start: from, end: start, isMatch: false });
    parts.push({ start, end, isMatch: true });
    from = end;
  }
  if (from < text.length) parts.push({ start: from, end: text.length, isMatch: false });
  return parts;
}

/** A pattern that matches nothing at all can do so between the halves of a surrogate pair. */
function isInsidePair(text: string, at: number): boolean {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

function merged(parts: Part[], behaviour: CutBehaviour): Part[] {
  switch (behaviour) {
    case 'Isolated':
      return parts;
    case 'Removed':
      return parts.filter(({ isMatch }) => !isMatch);
    case 'Contiguous':
      return joined(parts, (part, before) => part.isMatch === before.isMatch);
    case 'MergedWithPrevious':
      return joined(parts, (part, before) => part.isMatch && !before.isMatch);
    case 'MergedWithNext':
      return joinedFromTheEnd(parts);
  }
}

/** @param joins whether a part belongs to the one before it */
function joined(parts: Part[], joins: (part: Part, before: Part) => boolean): Part[] {
  const result: Part[] = [];
  for (const [i, part] of parts.entries()) {
    const last = result.at(-1);
    if (last && joins(part, parts[i - 1])) last.end = part.end;
    else result.push({ ...part });
  }
  return result;
}

function joinedFromTheEnd(parts: Part[]): Part[] {
  const result: Part[] = [];
  for (let i = parts.length - 1; i >= 0; i--) {
    const next = result.at(-1);
    if (next && parts[i].isMatch && !parts[i + 1].isMatch) next.start = parts[i].start;
    else result.push({ ...parts[i] });
  }
  return result.reverse();
}
