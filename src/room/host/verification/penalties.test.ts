import { describe, expect, it } from 'vitest';
import { createLink } from '../../fixtures/recorded-link.ts';
import { newMember, type Member } from '../membership/members.ts';
import { createStrikes, type Strikes } from './penalties.ts';

interface Watched {
  strikes: Strikes;
  /** What was done to whom. */
  done: string[];
  pass: (ms: number) => void;
}

function watched(): Watched {
  const done: string[] = [];
  let now = 0;
  const strikes = createStrikes({
    suspend: ({ id }, reason) => done.push(`suspend ${id}: ${reason}`),
    restore: ({ id }) => done.push(`restore ${id}`),
    part: (one, other) => done.push(`part ${one.id} and ${other.id}`),
    drop: ({ id }, reason) => done.push(`drop ${id}: ${reason}`),
    nowMs: () => now,
  });
  return { strikes, done, pass: (ms) => (now += ms) };
}

function device(id: string, fingerprint = `certificate of ${id}`): Member {
  return newMember(id, `Device ${id}`, Object.assign(createLink(), { fingerprint }));
}

describe('a device that computed wrongly', () => {
  it('proves itself and goes on; the second time it is dropped', () => {
    const { strikes, done } = watched();
    const a = device('a');
    strikes.blame(a, 'NaN');
    strikes.proved(a);
    strikes.blame(a, 'zeros');
    expect(done).toEqual(['suspend a: NaN', 'restore a', 'drop a: zeros']);
  });

  it('is blamed once for everything that comes before its proof', () => {
    const { strikes, done } = watched();
    const a = device('a');
    for (const answer of [1, 2, 3]) strikes.blame(a, `answer ${answer} failed`);
    expect(done).toEqual(['suspend a: answer 1 failed']);
  });

  it('is dropped when its proof fails', () => {
    const { strikes, done } = watched();
    const a = device('a');
    strikes.blame(a, 'NaN');
    strikes.disproved(a, 'Layer 3 came out wrong.');
    expect(done.at(-1)).toBe('drop a: Layer 3 came out wrong.');
  });

  it('cannot undo it by coming back under another name', () => {
    const { strikes, done } = watched();
    const a = device('a', 'the same');
    strikes.blame(a, 'NaN');
    strikes.left(a);
    strikes.blame(device('b', 'the same'), 'NaN again');
    expect(done.at(-1)).toBe('drop b: NaN again');
  });

  it('is forgiven in time', () => {
    const { strikes, done, pass } = watched();
    const a = device('a');
    strikes.blame(a, 'once');
    strikes.proved(a);
    pass(21 * 60_000);
    strikes.blame(a, 'much later');
    expect(done.at(-1)).toBe('suspend a: much later');
  });

  it('is left in peace while it is merely slow to answer', () => {
    const { strikes, done, pass } = watched();
    const a = device('a');
    strikes.blame(a, 'NaN');
    pass(5 * 60_000);
    strikes.proved(a);
    expect(done).toEqual(['suspend a: NaN', 'restore a']);
  });
});

describe('an accusation', () => {
  it('is believed of one neighbour, and held against who accuses a second', () => {
    const { strikes, done } = watched();
    const [a, b, c] = [device('a'), device('b'), device('c')];
    strikes.accuse(a, b, 'not finite');
    strikes.accuse(a, c, 'not finite');
    expect(done.map((entry) => entry.slice(0, 9))).toEqual(['suspend b', 'suspend a']);
  });

  it('drops nobody, however often one device says it: the two are kept apart', () => {
    const { strikes, done } = watched();
    const [a, b] = [device('a'), device('b')];
    strikes.accuse(a, b, 'not finite');
    strikes.accuse(a, b, 'not finite');
    strikes.proved(b);
    for (let times = 0; times < 3; times++) strikes.accuse(a, b, 'not finite');
    expect(new Set(done)).toEqual(new Set(['suspend b: not finite', 'restore b', 'part a and b']));
  });

  it('is the same device’s, whatever name it comes back under', () => {
    const { strikes, done } = watched();
    const [a, b] = [device('a', 'the same'), device('b')];
    strikes.accuse(a, b, 'not finite');
    strikes.proved(b);
    strikes.left(a);
    strikes.accuse(device('c', 'the same'), b, 'not finite');
    expect(done.at(-1)).toBe('part c and b');
  });

  it('counts in full from the host, and against who makes it of the host', () => {
    const { strikes, done } = watched();
    const [host, a, b] = [newMember('host', 'Host', null), device('a'), device('b')];
    strikes.accuse(host, a, 'not finite');
    strikes.accuse(b, host, 'not finite');
    strikes.proved(a);
    strikes.accuse(host, a, 'not finite');
    expect(done).toEqual([
      'suspend a: not finite',
      'suspend b: It says of the host: not finite',
      'restore a',
      'drop a: not finite',
    ]);
  });
});

it('a device that hands nothing on proves itself twice, and is dropped the third time', () => {
  const { strikes, done } = watched();
  const a = device('a');
  for (let times = 0; times < 3; times++) {
    strikes.stall(a, 'nothing came');
    strikes.proved(a);
  }
  const once = ['suspend a: nothing came', 'restore a'];
  expect(done.slice(0, 5)).toEqual([...once, ...once, 'drop a: nothing came']);
});

it('never touches the host itself, and takes no proof that nobody asked for', () => {
  const { strikes, done } = watched();
  strikes.blame(newMember('host', 'Host', null), 'NaN');
  const a = device('a');
  strikes.proved(a);
  strikes.disproved(a, 'wrong');
  expect(done).toEqual([]);
});
