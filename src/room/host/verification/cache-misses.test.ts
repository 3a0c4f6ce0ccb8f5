import { describe, expect, it } from 'vitest';
import { newMember, type Member } from '../membership/members.ts';
import { createCacheMisses, type CacheMisses } from './cache-misses.ts';

const [a, b] = ['a', 'b'].map((id) => newMember(id, `Device ${id}`, null)) as [Member, Member];
const begun = { sequence: 3, reason: 'layer 2 holds 0 positions' };
const madeUp = { sequence: 999, reason: 'layer 2 holds 0 positions' };

function watched(): { cacheMisses: CacheMisses; done: string[]; pass: (ms: number) => void } {
  const done: string[] = [];
  let now = 0;
  const cacheMisses = createCacheMisses({
    isInUse: (sequence) => sequence <= 3,
    tidy: () => done.push('tidy'),
    accuse: (accuser, accused) => done.push(`${accuser.id} accuses ${accused.id}`),
    nowMs: () => now,
  });
  return { cacheMisses, done, pass: (ms) => (now += ms) };
}

describe('a stage that was asked for what it does not hold', () => {
  it('accuses who asked for a sequence that the host never began', () => {
    const { cacheMisses, done } = watched();
    cacheMisses.report(b, a, madeUp);
    expect(done).toEqual(['tidy', 'b accuses a']);
  });

  it('accuses nobody the first time for one of the host’s own', () => {
    const { cacheMisses, done, pass } = watched();
    cacheMisses.report(b, a, begun);
    expect(done).toEqual(['tidy']);
    cacheMisses.report(b, a, begun);
    expect(done.at(-1)).toBe('b accuses a');
    pass(21 * 60_000);
    cacheMisses.report(b, a, begun);
    expect(done.filter((each) => each === 'b accuses a')).toHaveLength(1);
  });
});
