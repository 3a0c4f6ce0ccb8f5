/** Arcs of a ring, clockwise from twelve o'clock, as SVG paths. */
export interface Arc {
  path: string;
  /** The middle of the arc, on the ring's centre line. */
  middle: { x: number; y: number };
}

/**
 * Lays `shares` (any positive scale) round a ring with `gapDegrees` between neighbours. A share of
 * nothing still gets a sliver, so that a part that is there can be seen to be there.
 */
export function ringArcs(
  shares: readonly number[],
  ring: { centre: number; radius: number; gapDegrees: number },
): Arc[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const gaps = shares.length > 1 ? shares.length * ring.gapDegrees : 0;
  const slivers = shares.length * sliverDegrees;
  const room = 360 - gaps - slivers;
  let from = shares.length > 1 ? ring.gapDegrees / 2 : 0;
  return shares.map((share) => {
    const part = total > 0 ? share / total : 1 / shares.length;
    const to = from + sliverDegrees + part * room;
    const arc = { path: arcPath(from, to, ring), middle: pointAt((from + to) / 2, ring) };
    from = to + ring.gapDegrees;
    return arc;
  });
}

const sliverDegrees = 2;

function arcPath(from: number, to: number, ring: { centre: number; radius: number }): string {
  const { radius } = ring;
  const start = pointAt(from, ring);
  // A whole circle has equal ends, which SVG takes for no arc at all: end just short of it.
  const end = pointAt(Math.min(to, from + 359.99), ring);
  const large = to - from > 180 ? 1 : 0;
  return `M${start.x} ${start.y}A${radius} ${radius} 0 ${large} 1 ${end.x} ${end.y}`;
}

function pointAt(
  degrees: number,
  { centre, radius }: { centre: number; radius: number },
): { x: number; y: number } {
  const angle = ((degrees - 90) * Math.PI) / 180;
  return {
    x: rounded(centre + radius * Math.cos(angle)),
    y: rounded(centre + radius * Math.sin(angle)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
