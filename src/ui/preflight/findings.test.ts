import { expect, it } from 'vitest';
import { able, unable } from '../gallery/browsers.ts';
import type { Capabilities } from './capabilities.ts';
import { findings } from './findings.ts';

it('finds nothing wrong where nothing is', () => {
  expect(new Set(findings(able).map(({ level }) => level))).toEqual(new Set(['good']));
});

it.each<[Partial<Capabilities>, string, 'limited' | 'missing', RegExp]>([
  [{ secureContext: false }, 'Connection', 'missing', /https/],
  [{ webGpu: 'none' }, 'Compute', 'limited', /recent Chrome/],
  [{ webGpu: 'none', secureContext: false }, 'Compute', 'limited', /https/],
  [{ webGpu: 'software' }, 'Compute', 'limited', /hardware acceleration/],
  [{ crossOriginIsolated: false, threads: 1 }, 'Threads', 'limited', /Cross-Origin-Opener/],
  [{ webRtc: false }, 'Links', 'missing', /WebRTC/],
  [{ relay: 'none' }, 'Ways to other devices', 'limited', /npm start/],
  [{ relay: 'unreachable' }, 'Ways to other devices', 'limited', /firewall/],
  [{ storage: 'refused' }, 'Storage', 'limited', /private window/],
  [{ storage: 'full' }, 'Storage', 'limited', /Free some space/],
  [{ wakeLock: false }, 'Screen', 'limited', /time-out/],
  [{ sound: false }, 'Quiet tone', 'limited', /in front/],
  [{ hidden: true }, 'In sight', 'limited', /front/],
])('says of %o what it means and what to do', (change, about, level, advice) => {
  const found = findings({ ...able, ...change }).find(({ subject }) => subject === about);
  expect(found?.level).toBe(level);
  expect(found?.advice).toMatch(advice);
});

it('has advice for every finding that is not good, and for no other', () => {
  expect(findings(unable).every(({ advice }) => advice !== '')).toBe(true);
  expect(findings(able).every(({ advice }) => advice === '')).toBe(true);
});
