/** What happens to a device at fault: the layers it loses, what it is told, and what the room is told of it. */
import { nameOf, type Roster } from '../membership/index.ts';
import type { Removal } from '../admission/index.ts';
import type { Plans } from '../planning/index.ts';
import type { PenaltyEffects } from './penalties.ts';

export interface PenaltyEffectsOptions {
  roster: Pick<Roster, 'tell' | 'announce' | 'show'>;
  plans: Pick<Plans, 'changed' | 'lose'>;
  removal: Removal;
}

export function createPenaltyEffects({
  roster,
  plans,
  removal,
}: PenaltyEffectsOptions): PenaltyEffects {
  return {
    suspend(member, reason) {
      member.excluded = reason;
      // It proves the layers that it holds now, before another plan takes them away.
      roster.tell(member.id, { kind: 'prove-again' });
      roster.announce(
        `${nameOf(member)} was at fault. It must prove its blocks before it gets any again: ${reason}`,
      );
      roster.show();
      plans.lose(member.id, `${member.label} was at fault; its blocks move to the others.`);
    },
    restore(member) {
      member.excluded = null;
      roster.announce(`${nameOf(member)} has proven its blocks and takes part again.`);
      plans.changed();
    },
    part(one, other, reason) {
      if (one.separated.has(other)) return;
      one.separated.add(other);
      other.separated.add(one);
      roster.announce(
        `${nameOf(one)} and ${nameOf(other)} do not follow each other any more, since nobody can tell which of them is right: ${reason}`,
      );
      plans.changed();
    },
    drop(member, reason) {
      roster.announce(`${nameOf(member)} was at fault twice and was removed: ${reason}`);
      removal.remove(member.id, `This device was at fault twice and was removed: ${reason}`);
    },
  };
}
