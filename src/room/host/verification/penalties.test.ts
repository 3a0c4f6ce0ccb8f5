import { describe, expect, it } from 'vitest';
import { createLink } from '../../fixtures/recorded-link.ts';
import { newMember, type Member } from '../membership/members.ts';
import { createPenalties, type Penalties } from './penalties.ts';

interface Watched {
  penalties: Penalties;
  /** What was done to whom. */
  done: string[];
  pass: (ms: number) => void;
}

function watched(): Watched {
  const done: string[] = [];
  let now = 0;
  const penalties = createPenalties({
    suspend: ({ id }, reason) => done.push(`suspend ${id}: ${reason}`),
    restore: ({ id }) => done.push(`restore ${id}`),
    part: (one, other) => done.push(`part ${one.id} and ${other.id}`),
    drop: ({ id }, reason) => done.push(`drop ${id}: ${reason}`),
    nowMs: () => now,
  });
  return { penalties, done, pass: (ms) => (now += ms) };
}

function device(id: string, fingerprint = `certificate of ${id}`): Member {
  return newMember(id, `Device ${id}`, Object.assign(createLink(), { fingerprint }));
}

describe('a device that computed wrongly', () => {
  it('proves itself and goes on; the second time it is dropped', () => {
    const { penalties, done } = watched();
    const a = device('a');
    penalties.blame(a, 'NaN');
    penalties.proved(a);
    penalties.blame(a, 'zeros');
    expect(done).toEqual(['suspend a: NaN', 'restore a', 'drop a: zeros']);
  });

  it('is blamed once for everything that comes before its proof', () => {
    const { penalties, done } = watched();
    const a = device('a');
    for (const answer of [1, 2, 3]) penalties.blame(a, `answer ${answer} failed`);
    expect(done).toEqual(['suspend a: answer 1 failed']);
  });

  it('is dropped when its proof fails', () => {
    const { penalties, done } = watched();
    const a = device('a');
    penalties.blame(a, 'NaN');
    penalties.disproved(a, 'Layer 3 came out wrong.');
    expect(done.at(-1)).toBe('drop a: Layer 3 came out wrong.');
  });

  it('cannot undo it by coming back under another name', () => {
    const { penalties, done } = watched();
    const a = device('a', 'the same');
    penalties.blame(a, 'NaN');
    penalties.left(a);
    penalties.blame(device('b', 'the same'), 'NaN again');
    expect(done.at(-1)).toBe('drop b: NaN again');
  });

  it('is forgiven in time', () => {
    const { penalties, done, pass } = watched();
    const a = device('a');
    penalties.blame(a, 'once');
    penalties.proved(a);
    pass(21 * 60_000);
    penalties.blame(a, 'much later');
    expect(done.at(-1)).toBe('suspend a: much later');
  });

  it('is left in peace while it is merely slow to answer', () => {
    const { penalties, done, pass } = watched();
    const a = device('a');
    penalties.blame(a, 'NaN');
    pass(5 * 60_000);
    penalties.proved(a);
    expect(done).toEqual(['suspend a: NaN', 'restore a']);
  });
});

describe('an accusation', () => {
  it('is believed of one neighbour, and held against who accuses a second', () => {
    const { penalties, done } = watched();
    const [a, b, c] = [device('a'), device('b'), device('c')];
    penalties.accuse(a, b, 'not finite');
    penalties.accuse(a, c, 'not finite');
    expect(done.map((entry) => entry.slice(0, 9))).toEqual(['suspend b', 'suspend a']);
  });

  it('drops nobody, however often one device says it: the two are kept apart', () => {
    const { penalties, done } = watched();
    const [a, b] = [device('a'), device('b')];
    penalties.accuse(a, b, 'not finite');
    penalties.accuse(a, b, 'not finite');
    penalties.proved(b);
    for (let times = 0; times < 3; times++) penalties.accuse(a, b, 'not finite');
    expect(new Set(done)).toEqual(new Set(['suspend b: not finite', 'restore b', 'part a and b']));
  });

  it('is the same device’s, whatever name it comes back under', () => {
    const { penalties, done } = watched();
    const [a, b] = [device('a', 'the same'), device('b')];
    penalties.accuse(a, b, 'not finite');
    penalties.proved(b);
    penalties.left(a);
    penalties.accuse(device('c', 'the same'), b, 'not finite');
    expect(done.at(-1)).toBe('part c and b');
  });

  it('counts in full from the host, and against who makes it of the host', () => {
    const { penalties, done } = watched();
    const [host, a, b] = [newMember('host', 'Host', null), device('a'), device('b')];
    penalties.accuse(host, a, 'not finite');
    penalties.accuse(b, host, 'not finite');
    penalties.proved(a);
    penalties.accuse(host, a, 'not finite');
    expect(done).toEqual([
      'suspend a: not finite',
      'suspend b: It says of the host: not finite',
      'restore a',
      'drop a: not finite',
    ]);
  });
});

it('a device that hands nothing on proves itself twice, and is dropped the third time', () => {
  const { penalties, done } = watched();
  const a = device('a');
  for (let times = 0; times < 3; times++) {
    penalties.stall(a, 'nothing came');
    penalties.proved(a);
  }
  const once = ['suspend a: nothing came', 'restore a'];
  expect(done.slice(0, 5)).toEqual([...once, ...once, 'drop a: nothing came']);
});

it('never touches the host itself, and takes no proof that nobody asked for', () => {
  const { penalties, done } = watched();
  penalties.blame(newMember('host', 'Host', null), 'NaN');
  const a = device('a');
  penalties.proved(a);
  penalties.disproved(a, 'wrong');
  expect(done).toEqual([]);
});
