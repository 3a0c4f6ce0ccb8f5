import { expect, it } from 'vitest';
import { statusText as statusTextOf, type StatusText } from './device-status.ts';
import type { DeviceStatus } from '../../room/view.ts';

const statusText = (status: DeviceStatus): StatusText => statusTextOf(status, 8);

it('says how far loading is, in percent and of how much', () => {
  const status = statusText({ kind: 'loading', bytesLoaded: 43e6, bytesTotal: 100e6 });
  expect(status.doing).toBe('Loading its part of the model');
  expect(status.detail.replaceAll('\u00a0', ' ')).toBe('43 % of 100 MB');
  expect(status.fraction).toBeCloseTo(0.43);
});

it('keeps what is read aloud apart from what changes at every step', () => {
  const at = (fraction: number) => statusText({ kind: 'measuring', fraction });
  expect(at(0.1).doing).toBe(at(0.9).doing);
  expect(at(0.1).detail).not.toBe(at(0.9).detail);
});

it('counts bytes where the total is not known', () => {
  const status = statusText({ kind: 'preparing', bytesLoaded: 5e6, bytesTotal: 0 });
  expect(status.detail.replaceAll('\u00a0', ' ')).toBe('5 MB');
  expect(status.fraction).toBeNull();
});

it('gives the reason of a failure', () => {
  expect(statusText({ kind: 'failed', reason: 'The GPU was lost.' })).toEqual({
    doing: 'Failed',
    detail: 'The GPU was lost.',
    fraction: null,
    tone: 'alarm',
  });
});

it('says in a sentence why a device is not at work for the moment', () => {
  expect(statusText({ kind: 'reconnecting' }).detail).toBe(
    'the connection to the host broke and is being restored',
  );
  expect(statusText({ kind: 'away' }).detail).toBe('the room goes on without it for now');
});

it('says what a standby device keeps ready, if anything', () => {
  const detail = (ready: { first: number; last: number }[]): string =>
    statusText({ kind: 'standby', ready }).detail.replaceAll('\u00a0', ' ');
  expect(detail([])).toBe('it holds nothing of the model for now');
  expect(detail([{ first: 3, last: 4 }])).toBe('blocks 3–4 ready in case another device leaves');
});
