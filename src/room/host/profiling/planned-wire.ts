import { linkBetween, type Member } from '../membership/index.ts';

/** What plans count for so many bytes from one device to another; 0 where that was never measured. */
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
