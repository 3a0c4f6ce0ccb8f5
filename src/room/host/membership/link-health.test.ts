import { expect, it } from 'vitest';
import type { Link } from '../../../transport/index.ts';
import { measuredMember } from '../../fixtures/members.ts';
import { devicesView } from './devices-view.ts';
import { followLink } from './link-health.ts';

it('a connection that is made anew is shown as long as it takes, and told of where it took long', () => {
  let interrupt: (reason: string) => void = () => undefined;
  let resume: (tookMs: number) => void = () => undefined;
  const link: Pick<Link, 'onInterrupted' | 'onResumed'> = {
    onInterrupted(callback) {
      interrupt = callback;
      return () => undefined;
    },
    onResumed(callback) {
      resume = callback;
      return () => undefined;
    },
  };
  const member = measuredMember('a', { link: link as Link });
  member.status = { kind: 'ready' };
  const notices: string[] = [];
  const shown: string[] = [];
  const showStatus = (): void =>
    void shown.push(
      devicesView([member], {
        isComputing: false,
        profileOf: ({ profile }) => profile,
        position: 0,
      })[0].status.kind,
    );
  followLink(member, { notice: (sentence) => notices.push(sentence), onShown: showStatus });
  interrupt('the network path broke');
  resume(1234);
  interrupt('the network path broke');
  resume(300);
  expect(shown).toEqual(['reconnecting', 'standby', 'reconnecting', 'standby']);
  expect(notices).toEqual(['Device a (a) was away for 1.2 s and is connected again.']);
});
