/** Has links measured one after the other: two measurements at once would slow each other down. */
import { measuredLink } from '../../links/index.ts';
import type { MeasuredLink } from '../../protocol/index.ts';
import type { Member } from '../membership/index.ts';

export interface LinkMeasurements {
  /** The host measures its own link to the member. Where that cannot be done, the link ends. */
  measureOwn(member: Member): void;
  /** The member measures its link to the other. Its turn ends when that is `settled`, or when it leaves. */
  measureBetween(member: Member, otherId: string): void;
  settled(member: Member, otherId: string): void;
  /** Resolves when everything asked for so far is measured. */
  done(): Promise<void>;
}

export function createLinkMeasurements(
  onOwnMeasured: (member: Member, link: MeasuredLink) => void,
): LinkMeasurements {
  let measuring: Promise<void> = Promise.resolve();
  const settling = new Map<string, () => void>();

  /** Where a turn fails, since its device has left, the next one comes all the same. */
  function inTurn(work: () => Promise<void>): void {
    measuring = measuring.then(work).catch(() => undefined);
  }

  return {
    measureOwn(member) {
      const { link } = member;
      if (!link) return;
      inTurn(async () => {
        const measured = await measuredLink(link);
        if (measured) onOwnMeasured(member, measured);
        else
          link.close(
            'The connection to the host is too poor to be measured: move closer, and join again.',
          );
      });
    },
    measureBetween(member, otherId) {
      inTurn(() => {
        member.link?.sendControl({ kind: 'measure-link', deviceId: otherId });
        return new Promise((resolve) => {
          settling.set(turnName(member, otherId), resolve);
          member.link?.onClosed(() => resolve());
        });
      });
    },
    settled(member, otherId) {
      const turn = turnName(member, otherId);
      settling.get(turn)?.();
      settling.delete(turn);
    },
    done: () => measuring,
  };
}

function turnName(member: Member, otherId: string): string {
  return `${member.id}>${otherId}`;
}
