/** Measures what the planner needs to know of a link. It tries more than once, since a busy machine may miss a deadline. */
import type { Link } from '../../transport/index.ts';
import type { MeasuredLink } from '../protocol/index.ts';

const tries = 3;

/** Null when the link ended, or could not be measured in several tries. */
export async function measuredLink(
  link: Pick<Link, 'measure' | 'onClosed' | 'stats'>,
): Promise<MeasuredLink | null> {
  const ended = new AbortController();
  const stop = link.onClosed(() => ended.abort());
  try {
    for (let attempt = 0; attempt < tries && !ended.signal.aborted; attempt++) {
      const profile = await link.measure().catch(() => null);
      if (!profile) continue;
      const { latencyMs, p90LatencyMs, mbps } = profile;
      return { latencyMs, p90LatencyMs, mbps, relayed: link.stats.relayed === true };
    }
    return null;
  } finally {
    stop();
  }
}
