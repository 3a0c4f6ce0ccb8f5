/** What plans say that bytes take from one device to another. */
import { linkBetween, type Member } from '../membership/index.ts';

/** In ms; 0 where the link between the two was never measured. */
export function plannedWireMs(
  members: ReadonlyMap<string, Member>,
  from: string,
  to: string,
  bytes: number,
): number {
  const [sender, receiver] = [members.get(from), members.get(to)];
  const link = sender && receiver && linkBetween(sender, receiver);
  return link ? link.latencyMs + (bytes * 8) / (link.mbps * 1000) : 0;
}
