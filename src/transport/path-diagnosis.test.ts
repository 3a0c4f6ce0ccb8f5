import { expect, it } from 'vitest';
import { sentenceFor } from './path-diagnosis.ts';

it.each([
  ['hides its addresses', { local: 0, remote: 2, relay: 0 }, /^This browser offers no network/],
  ['meets one that hides them', { local: 2, remote: 0, relay: 0 }, /^The other device’s browser/],
  [
    'has a TURN server that fails',
    { local: 3, remote: 2, relay: 1 },
    /check that both can reach it/,
  ],
  ['is kept apart by its network', { local: 2, remote: 2, relay: 0 }, /same Wi-Fi/],
])('a device that %s is told so', (_, candidates, words) => {
  expect(sentenceFor(candidates)).toMatch(words);
});
