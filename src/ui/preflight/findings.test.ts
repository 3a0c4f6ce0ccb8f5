import { expect, it } from 'vitest';
import type { Capabilities } from './capabilities.ts';
import { findings } from './findings.ts';

const everything: Capabilities = {
  secureContext: true,
  hardwareGpu: true,
  threads: 4,
  crossOriginIsolated: true,
  webRtc: true,
  storage: true,
};

const levels = (change: Partial<Capabilities>) =>
  Object.fromEntries(
    findings({ ...everything, ...change }).map(({ subject, level }) => [subject, level]),
  );

it('finds nothing wrong where nothing is', () => {
  expect(new Set(Object.values(levels({})))).toEqual(new Set(['good']));
});

it('tells what stops a device from what only slows it', () => {
  expect(levels({ secureContext: false })['Connection']).toBe('missing');
  expect(levels({ webRtc: false })['Links']).toBe('missing');
  expect(levels({ hardwareGpu: false })['Compute']).toBe('limited');
  expect(levels({ crossOriginIsolated: false, threads: 1 })['Threads']).toBe('limited');
  expect(levels({ storage: false })['Storage']).toBe('limited');
});

it('has advice for every finding that is not good, and for no other', () => {
  const nothing: Capabilities = {
    secureContext: false,
    hardwareGpu: false,
    threads: 1,
    crossOriginIsolated: false,
    webRtc: false,
    storage: false,
  };
  expect(findings(nothing).every(({ advice }) => advice !== '')).toBe(true);
  expect(findings(everything).every(({ advice }) => advice === '')).toBe(true);
});
