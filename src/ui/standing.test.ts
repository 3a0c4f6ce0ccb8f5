import { expect, it } from 'vitest';
import { newView } from '../room/view-store.ts';
import type { AnswerView, DeviceView, RoomView } from '../room/view.ts';
import { isSameStanding, standingOf } from './standing.ts';

const answer = { text: 'Once', newTokens: 1, status: { kind: 'writing' } } as AnswerView;
const device = { id: 'a', bytesLoaded: 1, status: { kind: 'ready' } } as DeviceView;
const view: RoomView = { ...newView('host', ''), answers: [answer], devices: [device] };

it.each<[string, Partial<RoomView>]>([
  ['text', { answers: [{ ...answer, text: 'Once upon', newTokens: 2 }] }],
  ['a figure of a device', { devices: [{ ...device, bytesLoaded: 2 }] }],
  ['the light of a device', { devices: [{ ...device, status: { kind: 'computing' } }] }],
])('is the same when %s changes', (_, change) => {
  expect(isSameStanding(standingOf(view), standingOf({ ...view, ...change }))).toBe(true);
});

it.each<[string, Partial<RoomView>]>([
  ['the end of an answer', { answers: [{ ...answer, status: { kind: 'paused', reason: '' } }] }],
  ['a question', { answers: [answer, answer] }],
  ['a broken connection', { devices: [{ ...device, status: { kind: 'reconnecting' } }] }],
  ['a device', { devices: [device, { ...device, id: 'b' }] }],
  ['a notice', { notices: [{ id: 1, text: 'A device left.' }] }],
  ['who may ask', { asking: 'open' }],
])('is another after %s', (_, change) => {
  expect(isSameStanding(standingOf(view), standingOf({ ...view, ...change }))).toBe(false);
});
