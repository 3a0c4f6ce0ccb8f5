import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { measuredMember } from '../../fixtures/members.ts';
import type { Member } from '../membership/members.ts';
import { createLinkRetries, type LinkRetries } from './link-retries.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

interface Room {
  a: Member;
  b: Member;
  members: Map<string, Member>;
  meetings: LinkRetries;
  introduced: string[];
}

function open(): Room {
  const a = measuredMember('a');
  const b = measuredMember('b', { links: { a: null } });
  const members = new Map<string, Member>([a, b].map((member) => [member.id, member]));
  const introduced: string[] = [];
  const meetings = createLinkRetries({
    members,
    introduce: (one, other) => introduced.push(`${one.id} ${other.id}`),
  });
  return { a, b, members, meetings, introduced };
}

describe('devices that found no way to each other', () => {
  it('are introduced again after a while, once, whoever of them says it', () => {
    const { a, b, meetings, introduced } = open();
    meetings.apart(b, a);
    meetings.apart(a, b);
    vi.advanceTimersByTime(19_999);
    expect(introduced).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(introduced).toEqual(['b a']);
    vi.advanceTimersByTime(3_600_000);
    expect(introduced).toHaveLength(1);
  });

  it('wait longer each time', () => {
    const { a, b, meetings, introduced } = open();
    for (const seconds of [20, 40, 80, 160, 320, 600, 600]) {
      const before = introduced.length;
      meetings.apart(b, a);
      vi.advanceTimersByTime(seconds * 1000 - 1);
      expect(introduced).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(introduced).toHaveLength(before + 1);
    }
  });

  it('are left alone if they found one meanwhile', () => {
    const { a, b, meetings, introduced } = open();
    meetings.apart(b, a);
    b.links.set('a', { latencyMs: 1, p90LatencyMs: 1, mbps: 100 });
    vi.advanceTimersByTime(60_000);
    expect(introduced).toEqual([]);
  });

  it('are left alone if one of them has left', () => {
    const { a, b, members, meetings, introduced } = open();
    meetings.apart(b, a);
    members.delete('a');
    vi.advanceTimersByTime(60_000);
    expect(introduced).toEqual([]);
  });
});
