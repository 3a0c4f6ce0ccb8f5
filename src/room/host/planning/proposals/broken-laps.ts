/** Whether the devices of a lap still reach each other. */
import { hopsOf, type Lap } from '../../../lap.ts';
import { linkBetween, type Member } from '../../membership/index.ts';

/** Why the lap cannot go on, in a sentence; null while it can. */
export function brokenBecause(
  members: ReadonlyMap<string, Member>,
  lap: Pick<Lap, 'stages'>,
): string | null {
  for (const { from, to } of hopsOf(lap)) {
    const [sender, receiver] = [members.get(from), members.get(to)];
    if (sender && receiver && linkBetween(sender, receiver) === null)
      return `${sender.label} and ${receiver.label} lost each other; their blocks are dealt again.`;
  }
  return null;
}
